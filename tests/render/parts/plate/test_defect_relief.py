"""Every defect's slopes are the derivatives of its height, and its height is what it says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.parts.plate.flaws import bump, dent, scratch
from render.parts.plate.flaws.bump import Bump
from render.parts.plate.flaws.dent import Dent, Wave
from render.parts.plate.flaws.scratch import Scratch

angles = st.floats(0, 2 * math.pi)
points = st.tuples(st.floats(-50, 50), st.floats(-50, 50))

bumps = st.builds(
    Bump,
    points,
    st.floats(0.5, 9),
    st.floats(1, 3),
    angles,
    st.floats(-40, 40).filter(lambda h: abs(h) > 0.1),
)
waves = st.builds(Wave, st.floats(0.1, 1), angles, angles, st.floats(0.1, 9))
dents = st.builds(
    Dent,
    points,
    st.floats(0.2, 2),
    st.lists(st.tuples(st.floats(-0.17, 0.17), angles), max_size=5).map(tuple),
    st.floats(1, 200),
    st.floats(2, 12),
    st.floats(0, 1),
    st.lists(waves, max_size=4).map(tuple),
)


@st.composite
def scratches(draw):
    start, length, angle = draw(points), draw(st.floats(0.3, 50)), draw(angles)
    return Scratch(
        start,
        (start[0] + length * math.cos(angle), start[1] + length * math.sin(angle)),
        (length * draw(st.floats(-0.4, 0.4)), length * draw(st.floats(-0.4, 0.4))),
        draw(st.floats(5, 60)),
        draw(st.floats(0.2, 20)),
        (0.0, *draw(st.lists(st.floats(0.1, 1), min_size=1, max_size=12)), 0.0),
        draw(st.floats(0, 1)),
    )


def spread(boxes, seed, count=4000):
    """Return random points all over some boxes."""
    rng = np.random.default_rng(seed)
    x0, y0, x1, y1 = np.array(boxes)[rng.integers(len(boxes), size=count)].T
    return x0 + (x1 - x0) * rng.random(count), y0 + (y1 - y0) * rng.random(count)


def check_slopes(module, defect, finest_mm):
    """Compare slopes with central differences; `finest_mm` is the smallest length in the defect."""
    x, y = spread(module.boxes_mm(defect), 3)
    height, slope_x, slope_y = module.relief(defect, x, y)
    step = 1e-4 * finest_mm
    steepest = np.hypot(slope_x, slope_y).max()
    assert np.abs(height).max() > 0
    for slope, (dx, dy) in ((slope_x, (step, 0)), (slope_y, (0, step))):
        ahead = module.relief(defect, x + dx, y + dy)[0]
        behind = module.relief(defect, x - dx, y - dy)[0]
        # Where curvature jumps, the central difference is off by half the jump times the step.
        np.testing.assert_allclose((ahead - behind) / 2 / step, slope, atol=2e-3 * steepest)


@settings(max_examples=40, deadline=None)
@given(bumps)
def test_slopes_of_a_bump_are_its_derivatives(defect):
    check_slopes(bump, defect, defect.half_axes_mm()[1])


@settings(max_examples=40, deadline=None)
@given(dents)
def test_slopes_of_a_dent_are_its_derivatives(defect):
    finest = min([wave.length_mm for wave in defect.imprint] + [defect.radius_mm / 12])
    check_slopes(dent, defect, finest)


@settings(max_examples=40, deadline=None)
@given(scratches())
def test_slopes_of_a_scratch_are_its_derivatives(defect):
    check_slopes(scratch, defect, defect.width_um / 1000)


@settings(max_examples=40, deadline=None)
@given(st.one_of(bumps, dents, scratches()), st.integers(0, 99))
def test_the_plate_is_flat_outside_the_boxes(defect, seed):
    module = {Bump: bump, Dent: dent, Scratch: scratch}[type(defect)]
    boxes = np.array(module.boxes_mm(defect))
    x0, y0 = boxes[:, :2].min(axis=0)
    x1, y1 = boxes[:, 2:].max(axis=0)
    margin = 0.2 * max(x1 - x0, y1 - y0)
    x, y = spread([(x0 - margin, y0 - margin, x1 + margin, y1 + margin)], seed, 2000)
    held = np.zeros(x.shape, bool)
    for a, b, c, d in boxes:
        held |= (x >= a) & (x <= c) & (y >= b) & (y <= d)
    assert (~held).any()
    for part in module.relief(defect, x, y):
        assert not part[~held].any()


def at(module, defect, x, y):
    return [float(part[0]) for part in module.relief(defect, np.array([x]), np.array([y]))]


def test_a_bump_by_hand():
    # Half axes 4 and 1 mm, the long one along y; 20 um high.
    defect = Bump((1.0, 2.0), 2.0, 4.0, math.pi / 2, 20.0)
    assert at(bump, defect, 1.0, 2.0) == pytest.approx([0.02, 0, 0])
    assert at(bump, defect, 1.0, 4.0) == pytest.approx([0.01, 0, -0.02 * math.pi / 2 / 4])
    assert at(bump, defect, 1.5, 2.0) == pytest.approx([0.01, -0.02 * math.pi / 2, 0])
    assert at(bump, defect, 2.0, 2.0) == pytest.approx([0, 0, 0], abs=1e-12)
    np.testing.assert_allclose(bump.boxes_mm(defect), [(0, -2, 2, 6)])


def test_a_dent_by_hand():
    # A round one of 1 mm, 50 um deep; at z = 1 it is D (λ − 1) / e deep, λ = 0.4 · 4 / 2.
    defect = Dent((0.0, 0.0), 1.0, (), 50.0, 4.0, 0.4, ())
    assert at(dent, defect, 0.0, 0.0) == pytest.approx([-0.05, 0, 0])
    assert at(dent, defect, 0.0, 1.0)[0] == pytest.approx(0.05 * (0.8 - 1) / math.e)
    # The crest of the rim lies at z = 1 + 1 / λ.
    crest = at(dent, defect, 2.25**0.25, 0.0)
    assert crest == pytest.approx([0.05 * 0.8 * math.exp(-2.25), 0, 0])


@pytest.mark.parametrize(("share", "steepness"), [(0.0, 4.0), (0.5, 3.0), (1.0, 6.0)])
def test_the_rim_of_a_dent_holds_its_share_of_the_metal(share, steepness):
    defect = Dent((0.0, 0.0), 1.0, (), 50.0, steepness, share, ())
    r = (np.arange(4000) + 0.5) * 1e-3
    missing, pit = (
        (dent.relief(one, r, 0 * r)[0] * r).sum()
        for one in (defect, Dent((0.0, 0.0), 1.0, (), 50.0, steepness, 0.0, ()))
    )
    assert missing / pit == pytest.approx(1 - share, abs=1e-4)


def test_the_outline_of_a_dent_is_irregular_as_told():
    defect = Dent((0.0, 0.0), 1.0, ((0.25, 0.0),), 50.0, 4.0, 0.0, ())
    wide, narrow = at(dent, defect, 1.25, 0.0)[0], at(dent, defect, 0.0, 0.75)[0]
    assert wide == pytest.approx(-0.05 / math.e)
    assert narrow == pytest.approx(-0.05 / math.e)


def test_the_imprint_fades_on_the_flank():
    flat = Dent((0.0, 0.0), 1.0, (), 50.0, 6.0, 0.3, ())
    struck = Dent((0.0, 0.0), 1.0, (), 50.0, 6.0, 0.3, (Wave(0.4, 0.0, 0.0, 5.0),))
    x = np.array([0.0, 0.2, 0.4, 1.0, 1.6])
    change = dent.relief(struck, x, 0 * x)[0] - dent.relief(flat, x, 0 * x)[0]
    fade = np.exp(-(x**6))
    assert change == pytest.approx(0.005 * fade * [1, -1, 1, -1, 1], abs=1e-9)
    assert abs(change[-1]) < 1e-8


def test_a_scratch_by_hand():
    # 10 mm upwards from (1, 2), straight, λ = 0.5: the lips crest at q² = 2 + 1 / λ = 4.
    defect = Scratch((1.0, 2.0), (1.0, 12.0), (0.0, 0.0), 20.0, 4.0, (0.0, 1.0, 0.0), 0.5)
    assert at(scratch, defect, 1.0, 7.0) == pytest.approx([-0.004, 0, 0])
    lip = 0.004 * math.exp(-2)
    assert at(scratch, defect, 1.04, 7.0) == pytest.approx([lip, 0, 0])
    assert at(scratch, defect, 0.96, 7.0) == pytest.approx([lip, 0, 0])
    # Halfway to the end the pressure is halved, and it falls by 1.5 per step of 5 mm.
    assert at(scratch, defect, 1.0, 9.5) == pytest.approx([-0.002, 0, 0.004 * 1.5 / 5])
    for end in (2.0, 12.0):
        assert at(scratch, defect, 1.0, end) == pytest.approx([0, 0, 0])


def test_a_scratch_bends_to_the_left_of_its_direction():
    # The Bézier curve with control points (0, 0), (3, 1), (6, 1), (9, 0) has its middle at 3/4.
    defect = Scratch((0.0, 0.0), (9.0, 0.0), (1.0, 1.0), 20.0, 4.0, (0.0, 1.0, 0.0), 0.0)
    assert at(scratch, defect, 4.5, 0.75) == pytest.approx([-0.004, 0, 0])
    assert at(scratch, defect, 4.5, -0.75) == [0, 0, 0]


def test_a_lifted_tool_leaves_no_trace():
    defect = Scratch((0.0, 0.0), (10.0, 0.0), (0.0, 0.0), 20.0, 4.0, (0, 1, 0, 0, 1, 0), 0.5)
    x = np.linspace(0, 10, 501)
    depth = -scratch.relief(defect, x, 0 * x)[0]
    lifted = (x >= 4) & (x <= 6)
    assert not depth[lifted].any()
    assert (depth[~lifted][1:-1] > 0).all()


def test_lips_hold_their_share_of_the_metal():
    across = np.linspace(-0.15, 0.15, 3001)
    volumes = []
    for share in (0.0, 0.6, 1.0):
        defect = Scratch((0.0, 0.0), (10.0, 0.0), (0.0, 0.0), 20.0, 4.0, (0.0, 1.0, 0.0), share)
        volumes.append(scratch.relief(defect, np.full(3001, 5.0), across)[0].sum())
    assert volumes[1] / volumes[0] == pytest.approx(0.4, abs=1e-5)
    assert volumes[2] / volumes[0] == pytest.approx(0.0, abs=1e-5)
