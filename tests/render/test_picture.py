"""From exposures to pictures: the lens, and where one exposure keeps the light of another."""

import numpy as np
import pytest

from render.part import Exposure, Labels, Shot
from render.picture import behind_lens
from render.sensor import Sensor, through_lens

SENSOR = Sensor(1.0, 0.6, 1e4, 5.0, 0.01, 8, 1)
NOTHING = Labels(np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint16))


@pytest.mark.parametrize("channels", [1, 3])
def test_light_is_blurred_where_it_may_differ_and_kept_elsewhere(channels):
    rng = np.random.default_rng(1)
    radiance, before = rng.random((2, 20, 20, channels), dtype=np.float32)
    region = np.zeros((20, 20), bool)
    region[5:9, 5:9] = True
    light = behind_lens(Exposure(Shot(), radiance, NOTHING, region), SENSOR, before)
    np.testing.assert_array_equal(light[~region], before[~region])
    np.testing.assert_array_equal(light[region], through_lens(radiance, SENSOR)[region])
    free = behind_lens(Exposure(Shot(), radiance, NOTHING), SENSOR, before)
    np.testing.assert_array_equal(free, through_lens(radiance, SENSOR))
