"""What may be drawn, and how the draw answers to a change of its ranges."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impurities.water_stain.ranges import (
    HeterogeneityRanges,
    WaterStainRanges,
    check_reach,
    reach_mm,
    sample_stains,
    validate,
)
from stainless.ranges import bounds

AREA = (-3.0, 2.0, 60.0, 47.0)


def drawn(seed=1, area=AREA, **fields):
    return sample_stains(WaterStainRanges(**fields), area, np.random.default_rng(seed))


def test_the_same_seed_draws_the_same_stains():
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**64), st.floats(0, 1), st.floats(0, 1))
def test_every_number_lies_in_its_range(seed, jitter, density):
    ranges = WaterStainRanges(jitter=jitter, density=density)
    stains = sample_stains(ranges, AREA, np.random.default_rng(seed))
    cells = set()
    for stain in stains:
        for name in ("radius_mm", "amplitude_mm", "frequency_per_mm", "gamma", "alpha"):
            low, high = bounds(getattr(ranges, name))
            assert low <= getattr(stain, name) <= high
        assert all(0 <= offset < 256 for offset in stain.noise_offset)
        x, y = stain.center_mm
        assert AREA[0] <= x < AREA[2]
        assert AREA[1] <= y < AREA[3]
        i, j = math.floor(x / 7), math.floor(y / 7)
        assert max(abs(x / 7 - i - 0.5), abs(y / 7 - j - 0.5)) <= jitter / 2 + 1e-9
        cells.add((i, j))
    assert len(cells) == len(stains)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("radius_mm", (1.0, 4.0)),
        ("amplitude_mm", 0.1),
        ("frequency_per_mm", (0.1, 2.0)),
        ("gamma", 9.0),
        ("alpha", (-1.0, 1.0)),
    ],
)
def test_a_range_changes_its_own_number_and_no_other(field, value):
    before, after = drawn(), drawn(**{field: value})
    assert [getattr(s, field) for s in before] != [getattr(s, field) for s in after]
    for one, other in zip(before, after, strict=True):
        assert dataclasses.replace(other, **{field: getattr(one, field)}) == one


def test_a_higher_density_only_adds_stains():
    sparse, dense = drawn(density=0.3), drawn(density=0.8)
    assert len(sparse) < len(dense)
    assert [stain for stain in dense if stain in sparse] == sparse


def test_density_is_the_share_of_cells():
    area = (0.0, 0.0, 700.0, 700.0)  # 10 000 cells, of which 0.3 ± 4·sqrt(0.21/10 000)
    assert abs(len(drawn(area=area, density=0.3)) / 10_000 - 0.3) < 0.0184
    assert len(drawn(area=area, density=1.0)) == 10_000
    assert drawn(area=area, density=0.0) == []


def test_the_density_map_lies_on_the_area():
    # The first row is the low y, its first column the low x.
    stains = drawn(area=(0.0, 0.0, 70.0, 70.0), density=1.0, density_map=[[1.0, 0.0], [0.0, 0.0]])
    assert len(stains) == 25
    assert all(x < 35 and y < 35 for x, y in (stain.center_mm for stain in stains))
    stains = drawn(area=(0.0, 0.0, 70.0, 70.0), density=1.0, density_map=[[0.0, 0.0], [0.0, 1.0]])
    assert all(x >= 35 and y >= 35 for x, y in (stain.center_mm for stain in stains))
    everywhere = drawn(density_map=[[1.0]])
    assert everywhere == drawn()


def test_given_centres_are_kept():
    centers = [(1.0, 2.0), (1.5, 2.5), (-40.0, 9.0)]
    stains = drawn(centers_mm=centers)
    assert [stain.center_mm for stain in stains] == centers
    assert len({stain.radius_mm for stain in stains}) == 3
    assert drawn(centers_mm=[]) == []


def test_the_generator_is_read_for_a_fixed_amount():
    rest = []
    for fields in ({}, {"density": 0.0}, {"heterogeneity": HeterogeneityRanges(3, rings=2)}):
        rng = np.random.default_rng(4)
        sample_stains(WaterStainRanges(**fields), AREA, rng)
        rest.append(rng.random())
    assert len(set(rest)) == 1


def test_reach_against_the_limit_by_hand():
    def ranges(jitter, radius):
        return WaterStainRanges(jitter=jitter, radius_mm=(1.0, radius), amplitude_mm=0.5)

    # Full jitter: G = 7. None: 1.5·7 = 10.5. Half: 7·(1 + 1/4) = 8.75.
    for jitter, limit in ((1.0, 7.0), (0.0, 10.5), (0.5, 8.75)):
        check_reach(ranges(jitter, limit - 0.5))
        with pytest.raises(ValueError, match=rf"radius_mm \+ amplitude_mm: .* within {limit:g}, "):
            check_reach(ranges(jitter, limit - 0.49))
    too_far = ranges(1.0, 20.0)
    too_far.centers_mm = [(0.0, 0.0)]
    check_reach(too_far)
    assert reach_mm(too_far) == 20.5


BAD = [
    ({"cell_size_mm": 0.0}, "cell_size_mm: 0.0, expected above 0"),
    ({"cell_size_mm": math.nan}, "cell_size_mm: nan, expected finite"),
    ({"jitter": 1.1}, r"jitter: 1.1, expected within \[0, 1\]"),
    ({"density": -0.1}, r"density: -0.1, expected within \[0, 1\]"),
    ({"radius_mm": (3.0, 2.0)}, r"radius_mm: \[3.0, 2.0\], expected \[low, high\]"),
    ({"radius_mm": (-1.0, 2.0)}, "radius_mm: .* expected above 0"),
    ({"amplitude_mm": (-0.1, 0.5)}, "amplitude_mm: .* expected within"),
    ({"amplitude_mm": 1.1}, "amplitude_mm: 1.1, expected below every radius_mm, so below 1.1"),
    ({"frequency_per_mm": 0.0}, "frequency_per_mm: 0.0, expected above 0"),
    ({"gamma": (0.0, 2.0)}, "gamma: .* expected above 0"),
    ({"alpha": (-1.5, 0.0)}, r"alpha: .* within \[-1, 1\]"),
    ({"alpha": (-math.inf, 0.0)}, "alpha: .* finite"),
    ({"density_map": []}, "density_map: .* equal, positive length"),
    ({"density_map": [[1.0], [1.0, 0.0]]}, "density_map: .* equal, positive length"),
    ({"density_map": [[2.0]]}, r"density_map: 2.0, expected values within \[0, 1\]"),
    ({"centers_mm": [(0.0, math.nan)]}, "centers_mm: .* finite"),
    ({"heterogeneity": HeterogeneityRanges(modes=0)}, "heterogeneity.modes: 0"),
    ({"heterogeneity": HeterogeneityRanges(rings=-1)}, "heterogeneity.rings: -1"),
    ({"heterogeneity": HeterogeneityRanges(ring_width=0.0)}, "heterogeneity.ring_width: 0.0"),
    ({"heterogeneity": HeterogeneityRanges(mode_scale=0.0)}, "heterogeneity.mode_scale: 0.0"),
    ({"heterogeneity": HeterogeneityRanges(ring_depth=2.0)}, "heterogeneity.ring_depth: 2.0"),
    ({"radius_mm": (2.0, 9.0)}, r"radius_mm \+ amplitude_mm: 9.95 at most, expected within 8.4"),
]


@pytest.mark.parametrize(("fields", "message"), BAD)
def test_bad_ranges_are_one_line_that_names_the_key(fields, message):
    with pytest.raises(ValueError, match=message) as caught:
        validate(WaterStainRanges(**fields))
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=message):
        drawn(**fields)


def test_the_defaults_are_valid():
    validate(WaterStainRanges())


@pytest.mark.parametrize("area", [(0, 0, 0, 1), (0, 1, 1, 0), (0, 0, math.inf, 1), (math.nan,) * 4])
def test_an_empty_area_is_refused(area):
    with pytest.raises(ValueError, match="area_mm"):
        drawn(area=area)
