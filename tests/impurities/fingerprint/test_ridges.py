"""Where ridges run, and the pattern that grows along them."""

import numpy as np
import pytest

from impurities.fingerprint.ridges import TEXELS_PER_PERIOD, RidgeFlow, grow

LOOP = RidgeFlow(((0.0, 1.0),), ((-4.5, -5.5),))


def test_hand_computed_angles():
    core = RidgeFlow(((1.0, 2.0),))
    # Half the direction from the core: 0 to its right, 45° above, 90° to its left.
    np.testing.assert_allclose(
        core.angle([2.0, 1.0, 0.0], [2.0, 3.0, 2.0]), [0, np.pi / 4, np.pi / 2]
    )
    delta = RidgeFlow((), ((1.0, 2.0),))
    assert delta.angle(1.0, 3.0) == pytest.approx(-np.pi / 4)
    # sin is 1 at a quarter of the width: ridges fall there as steeply as they may, and rise left.
    arch = RidgeFlow((), (), 0.5, 8.0)
    np.testing.assert_allclose(
        np.tan(arch.angle([-4.0, -2.0, 0.0, 2.0, 9.0], 3.0)), [0, 0.5, 0, -0.5, 0], atol=1e-12
    )


@pytest.mark.parametrize(("place", "turns"), [((0.0, 1.0), 0.5), ((-4.5, -5.5), -0.5)])
def test_around_a_core_ridges_turn_by_half_a_turn_and_around_a_delta_back(place, turns):
    around = np.linspace(0, 2 * np.pi, 400)
    angle = LOOP.angle(place[0] + 0.3 * np.cos(around), place[1] + 0.3 * np.sin(around))
    steps = np.diff(angle)
    # Ridges have no direction: angles count modulo π.
    total = ((steps + np.pi / 2) % np.pi - np.pi / 2).sum()
    assert total == pytest.approx(turns * 2 * np.pi, abs=1e-9)


@pytest.mark.parametrize("flow", [RidgeFlow(), LOOP, RidgeFlow((), (), 0.6, 14.0)])
def test_ridges_follow_the_flow_at_their_period(flow):
    period = 0.5
    pattern = grow(flow, period, (6.0, 9.0), 3).astype(float)
    rows, columns = pattern.shape
    assert np.abs(pattern).max() <= 1
    # As much crest as valley, and little between.
    assert abs(pattern.mean()) < 0.02
    assert np.square(pattern).mean() > 0.5
    # The gradient of the pattern stands across the ridges.
    down, across = np.gradient(pattern)
    texel = period / TEXELS_PER_PERIOD
    u = ((np.arange(columns) - columns // 2) * texel)[None, :]
    v = ((np.arange(rows) - rows // 2) * texel)[:, None]
    angle = flow.angle(u, v)
    along = across * np.cos(angle) + down * np.sin(angle)
    against = down * np.cos(angle) - across * np.sin(angle)
    assert np.square(along).mean() < 0.05 * np.square(against).mean()


def test_straight_ridges_have_the_period_asked_for():
    pattern = grow(RidgeFlow(), 0.5, (5.0, 10.0), 1)
    spectrum = np.abs(np.fft.rfft(pattern, axis=0)).mean(axis=1)
    frequencies = np.fft.rfftfreq(len(pattern)) * TEXELS_PER_PERIOD
    assert frequencies[spectrum[1:].argmax() + 1] == pytest.approx(1.0, abs=0.06)


def test_the_seed_decides_where_ridges_end():
    one, again, other = (grow(LOOP, 0.5, (3.0, 3.0), seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert np.abs(one - other).mean() > 0.2
