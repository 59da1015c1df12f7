"""Algorithm 1 at points: by hand, against a scalar transcription, and its corner cases."""

import dataclasses
import json
import math
from functools import partial
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noise import pnoise2
from support.nine_cells import nearest_in_nine_cells
from support.rebuild import rebuilt

from impurities.water_stain.heterogeneity import Heterogeneity, Ring
from impurities.water_stain.ranges import WaterStainRanges, sample_stains
from impurities.water_stain.stain import WaterStain, evaluate

# pnoise2(22.5, 9) = 0.5 and pnoise2(24.5, 9) = -0.5; at integer points it is 0.
BULGING, SHRINKING = (22.0, 9.0), (24.0, 9.0)


def stain(center=(0.0, 0.0), radius=1.0, amplitude=0.5, gamma=2.0, alpha=-0.4, offset=BULGING):
    return WaterStain(center, radius, amplitude, 1.0, gamma, alpha, offset)


@pytest.mark.parametrize(
    ("given_stain", "point", "expected"),
    [
        # noise 0: r' = 4, d = 2, d̂ = 1/2, 0.7 + 1/4·(-0.4) = 0.6
        (stain(radius=4.0), (2.0, 0.0), 0.6),
        # noise 0, d = 5 of the triangle 3-4-5, r' = 8: d̂ = 5/8, 0.7 - 0.390625·0.4 = 0.54375
        (stain(radius=8.0), (3.0, 4.0), 0.54375),
        # noise 1/2: r' = 1 + 0.5/2 = 1.25, d̂ = 0.4, 0.7 - 0.16·0.4 = 0.636
        (stain(), (0.5, 0.0), 0.636),
        # noise -1/2: r' = 0.75, d̂ = 2/3, 0.7 - 4/9·0.4 = 0.522222...
        (stain(offset=SHRINKING), (0.5, 0.0), 0.7 - 1.6 / 9),
        # γ = 3: d̂³ = 0.064, 0.7 - 0.064·0.4 = 0.6744
        (stain(gamma=3.0), (0.5, 0.0), 0.6744),
        # the centre keeps its reflectance: 0^γ = 0
        (stain(), (0.0, 0.0), 0.7),
        # a brighter rim cannot exceed 1: 0.7 + 0.81·0.9 = 1.429
        (stain(radius=10.0, alpha=0.9), (9.0, 0.0), 1.0),
        # nor a dark one fall below 0: 0.7 - 0.81 = -0.11
        (stain(radius=10.0, alpha=-1.0), (9.0, 0.0), 0.0),
    ],
)
def test_hand_computed_points(given_stain, point, expected):
    field = evaluate([given_stain], *point, reflectance=0.7)
    assert field.mask
    assert field.instance == 1
    assert field.reflectance == pytest.approx(expected, abs=1e-12)


def test_hand_computed_outlines():
    # At (0.5, 0) the outline is at 0.6 ± 0.4/2: 0.8 where the noise bulges, 0.4 where it shrinks.
    bulging = stain(radius=0.6, amplitude=0.4, offset=BULGING)
    shrinking = stain(radius=0.6, amplitude=0.4, offset=SHRINKING)
    assert evaluate([bulging], 0.5, 0.0).mask
    assert not evaluate([shrinking], 0.5, 0.0).mask
    # d < r' is strict: noise is 0 at (4, 0), so the outline passes right through it.
    assert not evaluate([stain(radius=4.0)], 4.0, 0.0, 0.7).mask
    assert evaluate([stain(radius=4.0)], 4.0, 0.0, 0.7).reflectance == 0.7


def test_the_nearest_centre_wins_even_if_its_stain_is_small():
    # (3, 0) is 3 from the large stain, well inside it, but 2 from the small one of radius 1.
    stains = [stain(radius=4.0), stain(center=(5.0, 0.0), radius=1.0)]
    field = evaluate(stains, [2.0, 3.0, 5.0], [0.0, 0.0, 0.0])
    assert field.instance.tolist() == [1, 0, 2]
    # Equally near, the first in the list wins.
    twins = [stain(radius=4.0), stain(center=(4.0, 0.0), radius=4.0)]
    assert evaluate(twins, 2.0, 0.0).instance == 1


def transcription(stains, x, y, before):
    """Algorithm 1 for one point in plain floats, with the noise of the package itself."""
    if not stains:
        return before, 0, math.inf
    distances = [math.hypot(x - s.center_mm[0], y - s.center_mm[1]) for s in stains]
    k = distances.index(min(distances))
    s, d = stains[k], distances[k]
    noise = pnoise2(
        (s.frequency_per_mm * x + s.noise_offset[0]) % 256,
        (s.frequency_per_mm * y + s.noise_offset[1]) % 256,
    )
    outline = s.radius_mm + s.amplitude_mm * noise
    if d >= outline:
        return before, 0, abs(d - outline)
    after = before + (d / outline) ** s.gamma * s.alpha
    return min(max(after, 0.0), 1.0), k + 1, abs(d - outline)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_equals_the_transcription(seed, jitter, density, before):
    ranges = WaterStainRanges(jitter=jitter, density=density, radius_mm=(1.0, 5.0))
    ranges.amplitude_mm = (0.0, 0.9)
    rng = np.random.default_rng(seed)
    stains = sample_stains(ranges, (-10.0, -15.0, 25.0, 20.0), rng)
    x, y = rng.uniform(-20, 30, (2, 300))
    field = evaluate(stains, x, y, before)
    for at in range(len(x)):
        after, instance, margin = transcription(stains, x[at], y[at], before)
        # The package rounds to float32, up to 1.5e-5 of a cell: skip what that decides.
        if margin > 1e-4:
            assert field.instance[at] == instance
            assert field.reflectance[at] == pytest.approx(after, abs=1e-3)
    assert np.array_equal(field.mask, field.instance > 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 1), st.floats(0, 1))
def test_neighbouring_cells_suffice_when_the_reach_fits(seed, jitter, density):
    # The largest reach that may be: 6 + 0.9 of at least 7.
    ranges = WaterStainRanges(
        jitter=jitter, density=density, radius_mm=(1.0, 6.0), amplitude_mm=(0.0, 0.9)
    )
    rng = np.random.default_rng(seed)
    stains = sample_stains(ranges, (-20.0, 0.0, 30.0, 40.0), rng)
    x, y = rng.uniform(-30, 45, (2, 2000))
    everywhere = evaluate(stains, x, y, 0.6)
    lookup = partial(nearest_in_nine_cells, cell_size_mm=ranges.cell_size_mm)
    with mock.patch("impurities.water_stain.stain.nearest_center", lookup):
        nearby = evaluate(stains, x, y, 0.6)
    assert np.array_equal(everywhere.instance, nearby.instance)
    assert np.array_equal(everywhere.reflectance, nearby.reflectance)


def test_points_may_come_in_any_shape():
    stains = [stain(radius=4.0), stain(center=(9.0, 2.0), radius=3.0)]
    x, y = np.linspace(-5, 14, 37), np.linspace(-5, 8, 23)
    grid = evaluate(stains, x[None, :], y[:, None], 0.7)
    assert grid.instance.shape == (23, 37)
    assert set(np.unique(grid.instance)) == {0, 1, 2}
    before = np.linspace(0, 1, 37)[None, :]
    assert (evaluate(stains, x[None, :], y[:, None], before).reflectance <= before).all()
    for row in (0, 11, 22):
        line = evaluate(stains, x, np.full(37, y[row]), 0.7)
        assert np.array_equal(line.reflectance, grid.reflectance[row])


def test_without_stains_nothing_changes():
    field = evaluate([], np.arange(5.0), 0.0, 0.3)
    assert field.reflectance.tolist() == [0.3] * 5
    assert not field.mask.any()


def test_refuses_what_it_cannot_evaluate():
    with pytest.raises(ValueError, match="x_mm, y_mm: expected finite"):
        evaluate([stain()], [0.0, math.nan], [0.0, 0.0])
    with pytest.raises(ValueError, match=r"reflectance: .* within \[0, 1\]"):
        evaluate([stain()], 0.0, 0.0, reflectance=1.5)
    with pytest.raises(ValueError, match=r"reflectance: .* within \[0, 1\]"):
        evaluate([stain()], 0.0, 0.0, reflectance=math.nan)
    with pytest.raises(ValueError, match="instances: 65536, expected at most 65535"):
        evaluate([stain()] * 65536, 0.0, 0.0)


def test_survives_json():
    plain = stain()
    varied = dataclasses.replace(
        plain, heterogeneity=Heterogeneity((1.0, 0.5), 0.3, (1.0, 2.0), (Ring(0.9, 0.05, -0.1),))
    )
    for original in (plain, varied):
        text = json.dumps(dataclasses.asdict(original))
        assert rebuilt(WaterStain, json.loads(text)) == original
