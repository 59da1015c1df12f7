"""The camera's picture of light, against the linear camera model of EMVA Standard 1288."""

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from render.sensor import Sensor, develop, noise_field, through_lens

SENSOR = Sensor(
    exposure=2.0,
    blur_px=0.6,
    full_well_e=10_000.0,
    read_noise_e=6.0,
    black_level=0.02,
    bits=8,
    seed=3,
)
QUIET = np.zeros((1, 1), np.float32)


def sensor(**changes):
    return dataclasses.replace(SENSOR, **changes)


def value(light, noise=QUIET, **changes):
    """Develop without noise, or with it."""
    pixels = np.full(noise.shape, light, np.float32)
    return develop(pixels, sensor(**changes), noise)


def test_levels_by_hand():
    assert value(0.0).item() == 5  # 0.02 · 255 = 5.1
    assert value(0.25).item() == 130  # (0.02 + 0.98 · 0.5) · 255 = 130.05
    assert value(0.5).item() == 255
    assert value(50.0).item() == 255
    assert value(0.25, bits=12).item() == round(round(0.51 * 4095) * 65535 / 4095)
    assert value(0.25, bits=16).item() == 33423
    assert value(1.0, bits=16).item() == 65535


@pytest.mark.parametrize("bits", range(8, 17))
def test_depth_of_the_output(bits):
    light = np.linspace(0, 0.6, 200_000, dtype=np.float32)[None]
    pixels = develop(light, sensor(bits=bits, black_level=0.0), np.zeros_like(light))
    assert pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert pixels.min() == 0
    assert pixels.max() == np.iinfo(pixels.dtype).max
    assert len(np.unique(pixels)) == 2**bits
    assert (np.diff(pixels.astype(int)) >= 0).all(), "more light is never darker"


LIGHT = arrays.arrays(np.float32, (4, 5), elements=st.floats(0, 2, width=32))
NOISE = arrays.arrays(np.float32, (4, 5), elements=st.floats(-6, 6, width=32))


@given(LIGHT, NOISE, st.integers(8, 16))
def test_a_pixel_depends_on_its_own_light_and_noise_alone(light, noise, bits):
    pixels = develop(light, sensor(bits=bits), noise)
    for at in np.ndindex(light.shape):
        one = develop(light[at].reshape(1, 1), sensor(bits=bits), noise[at].reshape(1, 1))
        assert one.item() == pixels[at]


@given(LIGHT, NOISE)
def test_developing_leaves_the_light_as_it_was(light, noise):
    before = light.copy()
    develop(light, SENSOR, noise)
    np.testing.assert_array_equal(light, before)


@pytest.mark.parametrize("level", [0.01, 0.1, 0.25, 0.4])
def test_photon_transfer(level):
    # EMVA 1288: variance in electrons is the mean (shot noise) plus the read noise squared; in
    # steps of 16 bits, K = 0.98 · 65535 / full well each, plus the 1/12 of quantisation.
    noise = noise_field(SENSOR, (500, 500))
    pixels = value(level, noise, bits=16).astype(np.float64)
    gain = 0.98 * 65535 / 10_000
    electrons = level * 2 * 10_000
    assert pixels.mean() == pytest.approx(0.02 * 65535 + gain * electrons, rel=0.002)
    expected = gain**2 * (electrons + 36) + 1 / 12
    # A variance over n pixels strays by sqrt(2 / n) = 0.28 %.
    assert pixels.var() == pytest.approx(expected, rel=0.015)


@pytest.mark.parametrize("shape", [(200, 300), (300, 200)])
def test_vignetting_takes_its_share_in_the_corners_and_none_in_the_middle(shape):
    quiet = np.zeros(shape, np.float32)
    plain, shaded = (value(0.3, quiet, bits=16, black_level=0.0, vignetting=v) for v in (0.0, 0.4))
    ratio = shaded / plain.astype(float)
    for corner in (ratio[0, 0], ratio[0, -1], ratio[-1, 0], ratio[-1, -1]):
        assert corner == pytest.approx(0.6, abs=0.005)
    assert ratio[shape[0] // 2, shape[1] // 2] == pytest.approx(1, abs=0.001)
    # With the square of the distance: at the end of an axis its share of the diagonal, squared.
    for axis in (0, 1):
        edge = np.moveaxis(ratio, axis, 0)[0, shape[1 - axis] // 2]
        share = shape[axis] ** 2 / (shape[0] ** 2 + shape[1] ** 2)
        assert edge == pytest.approx(1 - 0.4 * share, abs=0.005)


def test_the_fixed_pattern_is_the_same_in_every_exposure_and_of_the_stated_strength():
    quiet = np.zeros((300, 300), np.float32)
    fixed = {"bits": 16, "black_level": 0.0, "gain_noise": 0.02, "offset_noise_e": 40.0}
    gain = 65535 / 10_000
    for level in (0.1, 0.3):
        pixels = value(level, quiet, **fixed) / gain
        electrons = level * 2 * 10_000
        assert pixels.mean() == pytest.approx(electrons, rel=0.001)
        expected = np.sqrt((0.02 * electrons) ** 2 + 40**2)
        assert pixels.std() == pytest.approx(expected, rel=0.02)
        np.testing.assert_array_equal(
            value(level, quiet, seed=99, **fixed), value(level, quiet, **fixed)
        )
    other = value(0.3, quiet, pattern_seed=5, **fixed) / gain
    assert abs(np.corrcoef(pixels.ravel(), other.ravel())[0, 1]) < 0.02


def test_a_full_well_holds_no_noise():
    pixels = value(5.0, noise_field(SENSOR, (100, 100)), bits=16)
    assert np.unique(pixels).tolist() == [65535]


def test_noise_is_unit_gaussian_and_a_key_of_its_own_for_every_picture():
    field = noise_field(SENSOR, (400, 500), 0, 1).astype(np.float64)
    assert abs(field.mean()) < 0.01
    assert field.std() == pytest.approx(1, abs=0.01)
    assert np.mean(np.abs(field) < 1) == pytest.approx(0.6827, abs=0.005)
    np.testing.assert_array_equal(field, noise_field(SENSOR, (400, 500), 0, 1))
    for other in (noise_field(SENSOR, (400, 500), 1, 1), noise_field(SENSOR, (400, 500), 0, 2)):
        assert abs(np.corrcoef(field.ravel(), other.ravel())[0, 1]) < 0.01
    changed = noise_field(sensor(seed=4), (400, 500), 0, 1)
    assert abs(np.corrcoef(field.ravel(), changed.ravel())[0, 1]) < 0.01


@settings(max_examples=30)
@given(st.floats(0.3, 4), arrays.arrays(np.float32, (40, 50), elements=st.floats(0, 9, width=32)))
def test_the_lens_moves_light_and_makes_none(blur, inner):
    light = np.zeros((80, 90), np.float32)
    light[20:60, 20:70] = inner
    blurred = through_lens(light, sensor(blur_px=blur))
    assert blurred.shape == light.shape
    assert blurred.sum(dtype=np.float64) == pytest.approx(light.sum(dtype=np.float64), rel=1e-5)
    assert blurred.max() <= light.max() * (1 + 1e-5)


def test_the_point_spread_has_the_stated_deviation_along_both_axes():
    light = np.zeros((41, 41), np.float32)
    light[20, 20] = 1
    spread = through_lens(light, sensor(blur_px=2.0)).astype(np.float64)
    rows, columns = np.mgrid[-20:21, -20:21]
    for axis in (rows, columns):
        assert (spread * axis).sum() == pytest.approx(0, abs=1e-6)
        # Cut off at three deviations, which takes 1.3 % off the deviation.
        assert np.sqrt((spread * axis**2).sum()) == pytest.approx(2, rel=0.02)


def test_no_blur_is_no_change_and_an_even_picture_stays_even():
    light = np.random.default_rng(1).random((20, 30), dtype=np.float32)
    np.testing.assert_array_equal(through_lens(light, sensor(blur_px=0.0)), light)
    even = through_lens(np.full((20, 30), 0.7, np.float32), sensor(blur_px=3.0))
    np.testing.assert_allclose(even, 0.7, rtol=1e-6)


def test_the_lens_is_the_same_with_any_number_of_threads():
    light = np.random.default_rng(1).random((300, 300), dtype=np.float32)
    before = cv2.getNumThreads()
    try:
        blurred = []
        for threads in (1, 2):
            cv2.setNumThreads(threads)
            blurred.append(through_lens(light, SENSOR))
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(*blurred)


def test_each_channel_is_a_sensor_of_its_own_and_one_channel_is_as_none():
    sensor = Sensor(1.0, 0.6, 1e4, 50.0, 0.01, 8, 1, 0.2, 0.02, 5.0, 7)
    rng = np.random.default_rng(2)
    grey = rng.uniform(0.3, 0.5, (40, 50)).astype(np.float32)
    flat = develop(through_lens(grey, sensor), sensor, noise_field(sensor, (40, 50), 3))
    one = grey[..., None]
    alike = develop(through_lens(one, sensor), sensor, noise_field(sensor, one.shape, 3))
    np.testing.assert_array_equal(alike[..., 0], flat)
    three = np.repeat(one, 3, axis=2)
    blurred = through_lens(three, sensor)
    np.testing.assert_array_equal(blurred[..., 1], through_lens(grey, sensor))
    colour = develop(blurred, sensor, noise_field(sensor, three.shape, 3)).astype(float)
    # What the channels share is light and vignetting; neither noise nor fixed pattern.
    quiet = dataclasses.replace(sensor, gain_noise=0.0, offset_noise_e=0.0)
    bright = develop(blurred, quiet, np.zeros_like(blurred))
    apart = (colour - bright).reshape(-1, 3)
    assert abs(np.corrcoef(apart.T)[np.triu_indices(3, 1)]).max() < 0.1
