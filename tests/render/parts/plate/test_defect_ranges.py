"""What may be drawn, and how the draw answers to a change of its ranges."""

import dataclasses
import math

import numpy as np
import pytest

from render.parts.plate.flaws.bump import BumpRanges, sample_bumps
from render.parts.plate.flaws.dent import DentRanges, sample_dents
from render.parts.plate.flaws.scratch import ScratchRanges, sample_scratches
from render.parts.plate.registry import FLAWS

AREA = (-60.0, -50.0, 60.0, 50.0)
MANY = 6.0


def drawn(name, seed=1, **fields):
    kind = FLAWS[name]
    return kind.sample(
        kind.ranges(**{"per_plate": MANY, **fields}), AREA, np.random.default_rng(seed)
    )


#: Kind, a range and its new value, and the numbers of the defect that it may move.
CHANGES = [
    ("bump", "radius_mm", (1.0, 2.0), {"radius_mm", "height_um"}),
    ("bump", "elongation", 2.0, {"elongation", "height_um"}),
    ("bump", "angle_deg", (0.0, 90.0), {"angle_rad"}),
    ("bump", "slope", (0.02, 0.03), {"height_um"}),
    ("dent", "radius_mm", (1.0, 2.0), {"radius_mm", "depth_um", "imprint"}),
    ("dent", "irregularity", 0.1, {"outline"}),
    ("dent", "depth_per_radius", (0.1, 0.2), {"depth_um"}),
    ("dent", "steepness", (2.0, 3.0), {"steepness"}),
    ("dent", "rim_share", 0.7, {"rim_share"}),
    ("dent", "waves", 2, {"imprint"}),
    ("dent", "wave_length", 0.3, {"imprint"}),
    ("dent", "wave_slope", 0.3, {"imprint"}),
    ("scratch", "length_mm", (1.0, 50.0), {"start_mm", "end_mm", "bend_mm"}),
    ("scratch", "angle_deg", (0.0, 90.0), {"start_mm", "end_mm"}),
    ("scratch", "bow", 0.2, {"bend_mm"}),
    ("scratch", "sway", 0.2, {"bend_mm"}),
    ("scratch", "width_um", (40.0, 50.0), {"width_um", "depth_um"}),
    ("scratch", "depth_per_width", 0.7, {"depth_um"}),
    ("scratch", "pressure", (0.1, 0.2), {"pressure"}),
    ("scratch", "pressure_knots", 4, {"pressure"}),
    ("scratch", "skip_share", 0.5, {"pressure"}),
    ("scratch", "lip_share", 0.05, {"lip_share"}),
]


def test_every_range_is_tried():
    ranges = {
        (name, field.name) for name in FLAWS for field in dataclasses.fields(FLAWS[name].ranges)
    }
    placing = {(name, key) for name in FLAWS for key in ("per_plate", "centers_mm")}
    assert {(name, field) for name, field, *_ in CHANGES} == ranges - placing


@pytest.mark.parametrize(("name", "field", "value", "moved"), CHANGES)
def test_a_range_moves_its_own_numbers_and_no_other(name, field, value, moved):
    for one, other in zip(drawn(name), drawn(name, **{field: value}), strict=True):
        fields = [entry.name for entry in dataclasses.fields(one)]
        assert {key for key in fields if getattr(one, key) != getattr(other, key)} == moved


@pytest.mark.parametrize("name", FLAWS)
def test_more_defects_leave_those_before_as_they_were(name):
    assert drawn(name, per_plate=9.0)[:4] == drawn(name, per_plate=4.0)
    assert len(drawn(name, per_plate=9.0)) == 9
    assert drawn(name, per_plate=0.0) == []


@pytest.mark.parametrize("name", FLAWS)
def test_counts_are_even_over_the_whole_range(name):
    counts = np.bincount([len(drawn(name, seed, per_plate=(1.0, 3.0))) for seed in range(120)])
    assert counts[0] == 0
    # 40 each, give or take four deviations.
    assert all(abs(count - 40) < 21 for count in counts[1:])
    assert len(counts) == 4


@pytest.mark.parametrize("name", FLAWS)
def test_the_generator_is_read_for_a_fixed_amount(name):
    rest = set()
    for fields in ({}, {"per_plate": 0.0}, {"centers_mm": [(1.0, 2.0)]}):
        rng = np.random.default_rng(4)
        FLAWS[name].sample(FLAWS[name].ranges(**fields), AREA, rng)
        rest.add(rng.random())
    assert len(rest) == 1


def middle(defect):
    if hasattr(defect, "center_mm"):
        return defect.center_mm
    return tuple(np.add(defect.start_mm, defect.end_mm) / 2)


@pytest.mark.parametrize("name", FLAWS)
def test_centres_are_spread_over_the_area_or_given(name):
    x, y = np.array([middle(flaw) for flaw in drawn(name, per_plate=400.0)]).T
    assert ((x >= -60) & (x < 60) & (y >= -50) & (y < 50)).all()
    for share in ((x + 60) / 120, (y + 50) / 100):
        assert abs(share.mean() - 0.5) < 4 * math.sqrt(1 / 12 / 400)
    given = [(1.0, 2.0), (300.0, -4.0)]
    np.testing.assert_allclose([middle(flaw) for flaw in drawn(name, centers_mm=given)], given)


def test_bumps_are_as_steep_as_told():
    ranges = BumpRanges(per_plate=20.0, slope=(0.01, 0.02))
    for flaw in sample_bumps(ranges, AREA, np.random.default_rng(2)):
        assert 1.8 <= flaw.radius_mm <= 4.5
        steepest = flaw.height_um / 1000 * math.pi / 2 / flaw.half_axes_mm()[1]
        assert 0.01 <= steepest <= 0.02


def test_dents_are_as_irregular_and_deep_as_told():
    ranges = DentRanges(per_plate=20.0, irregularity=0.3, depth_per_radius=(0.1, 0.2), waves=3)
    for flaw in sample_dents(ranges, AREA, np.random.default_rng(2)):
        assert sum(amplitude for amplitude, _ in flaw.outline) == pytest.approx(0.3)
        assert 0.1 <= flaw.depth_um / 1000 / flaw.radius_mm <= 0.2
        assert len(flaw.imprint) == 3


def test_scratches_lie_at_random_and_short_ones_are_as_many_as_long_ones():
    ranges = ScratchRanges(per_plate=400.0, length_mm=(1.0, 100.0))
    chords = [flaw.chord() for flaw in sample_scratches(ranges, AREA, np.random.default_rng(2))]
    length, angle = np.array(chords).T
    assert 0.4 < (length < 10).mean() < 0.6
    assert length.min() >= 1 - 1e-9
    assert length.max() <= 100 + 1e-9
    counts = np.histogram(angle, 4, (0, np.pi))[0]
    assert counts.sum() == 400
    # 100 each, give or take four deviations.
    assert (abs(counts - 100) < 36).all()


def test_a_tool_that_skips_has_lifted_at_that_share_of_the_knots():
    ranges = ScratchRanges(per_plate=100.0, skip_share=0.3, pressure=(0.5, 1.0))
    scratches = sample_scratches(ranges, AREA, np.random.default_rng(2))
    assert {flaw.pressure[0] for flaw in scratches} | {flaw.pressure[-1] for flaw in scratches} == {
        0
    }
    inner = np.array([flaw.pressure[1:-1] for flaw in scratches])
    assert abs((inner == 0).mean() - 0.3) < 4 * math.sqrt(0.21 / inner.size)
    assert inner[inner > 0].min() >= 0.5


@pytest.mark.parametrize(
    ("name", "field", "value", "message"),
    [
        *[
            (name, *wrong)
            for name in FLAWS
            for wrong in (
                ("per_plate", 1.5, "per_plate: 1.5, expected whole numbers"),
                ("per_plate", (-1.0, 2.0), "per_plate: .*, expected within"),
                ("centers_mm", [(1.0, math.nan)], "centers_mm: .*, expected two finite numbers"),
            )
        ],
        ("bump", "radius_mm", 0.0, "radius_mm: 0.0, expected within"),
        ("bump", "elongation", 0.5, "elongation: 0.5, expected within"),
        ("bump", "angle_deg", math.inf, "angle_deg: inf, expected finite"),
        ("bump", "slope", (0.2, 0.1), "slope: .*, expected .low, high."),
        ("dent", "radius_mm", -1.0, "radius_mm: -1.0, expected within"),
        ("dent", "irregularity", 1.0, "irregularity: 1.0, expected within"),
        ("dent", "depth_per_radius", math.nan, "depth_per_radius: nan, expected finite"),
        ("dent", "steepness", 1.0, "steepness: 1.0, expected within"),
        ("dent", "rim_share", 1.5, "rim_share: 1.5, expected within"),
        ("dent", "waves", -1, "waves: -1, expected 0 to 100"),
        ("dent", "wave_length", 0.0, "wave_length: 0.0, expected within"),
        ("dent", "wave_slope", -1.0, "wave_slope: -1.0, expected within"),
        ("scratch", "length_mm", 0.0, "length_mm: 0.0, expected within"),
        ("scratch", "angle_deg", 1e9, "angle_deg: .*, expected within"),
        ("scratch", "bow", 2.0, "bow: 2.0, expected within"),
        ("scratch", "sway", -2.0, "sway: -2.0, expected within"),
        ("scratch", "width_um", 0.0, "width_um: 0.0, expected within"),
        ("scratch", "depth_per_width", -1.0, "depth_per_width: -1.0, expected within"),
        ("scratch", "pressure", 2.0, "pressure: 2.0, expected within"),
        ("scratch", "pressure_knots", 0, "pressure_knots: 0, expected 1 to 1000"),
        ("scratch", "skip_share", 2.0, "skip_share: 2.0, expected within"),
        ("scratch", "lip_share", -0.1, "lip_share: -0.1, expected within"),
    ],
)
def test_wrong_ranges_are_named(name, field, value, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        drawn(name, **{field: value})


@pytest.mark.parametrize("name", FLAWS)
@pytest.mark.parametrize(
    "area", [(0.0, 0.0, 0.0, 1.0), (0.0, 1.0, 1.0, 0.0), (0.0, 0.0, math.nan, 1.0)]
)
def test_an_empty_area_is_named(name, area):
    with pytest.raises(ValueError, match=r"^area_mm: .*, expected \(x0, y0, x1, y1\)"):
        FLAWS[name].sample(FLAWS[name].ranges(), area, np.random.default_rng(1))
