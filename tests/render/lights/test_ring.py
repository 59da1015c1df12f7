"""The hexagonal ring light and its variants."""

import numpy as np
import pytest

from render.lights.ring import VARIANTS, HexagonLight, bar_corners, placed

RING = HexagonLight(10.0, 18.0, 150.0, 1.0, -2.0, 0.1, (1.0, 1.1, 0.9, 1.0, 1.2, 0.8), 0.02)


def normal(corners):
    return np.cross(corners[1] - corners[0], corners[2] - corners[1])


def test_six_bars_make_a_closed_hexagonal_ring_that_shines_down():
    bars = bar_corners(RING)
    assert bars.shape == (6, 4, 3)
    assert (bars[..., 2] == 150).all()
    assert all(normal(bar)[2] < 0 for bar in bars)
    from_centre = np.linalg.norm(bars[..., :2] - (1, -2), axis=-1)
    np.testing.assert_allclose(from_centre, [[10, 10, 18, 18]] * 6)
    for bar, following in zip(bars, np.roll(bars, -1, axis=0), strict=True):
        np.testing.assert_allclose(bar[1:3], following[[0, 3]], err_msg="bars meet at corners")
    area = sum(np.linalg.norm(normal(b)) + np.linalg.norm(normal(b[[0, 2, 3]])) for b in bars) / 2
    assert area == pytest.approx(1.5 * np.sqrt(3) * (18**2 - 10**2))


def test_a_corner_lies_on_the_x_axis_at_no_turn():
    bars = bar_corners(HexagonLight(10.0, 18.0, 150.0, 0.0, 0.0, 0.0, (1.0,) * 6, 0.0))
    np.testing.assert_allclose(bars[0, 0], (10, 0, 150))
    np.testing.assert_allclose(bars[0, 1], (5, 10 * np.sqrt(0.75), 150))


def test_turning_is_about_the_rings_own_centre():
    before, after = bar_corners(RING), bar_corners(placed(RING, 0.0, 0.0, np.pi / 2))
    centre = np.array([1, -2, 150])
    x, y, z = np.moveaxis(before - centre, -1, 0)
    np.testing.assert_allclose(after - centre, np.stack([-y, x, z], axis=-1), atol=1e-12)


def test_a_quarter_turn_of_a_hexagon_is_thirty_degrees():
    def corners(angle):
        found = bar_corners(placed(RING, 0.0, 0.0, angle))[:, 0].round(9)
        return sorted(map(tuple, found))

    np.testing.assert_allclose(corners(np.pi / 2), corners(np.pi / 6), atol=1e-8)


def test_variants_are_the_papers_and_keep_their_place():
    assert [(name, v.power, v.suffix) for name, v in VARIANTS.items()] == [
        ("hexagon", 1.0, ""),
        ("hexagon_rot90", 1.0, "_rot90"),
        ("hexagon_x2", 2.0, "_x2"),
    ]
    assert [v.turn_rad for v in VARIANTS.values()] == [0, np.pi / 2, 0]


def test_the_ring_rides_with_the_camera():
    at_rest, moved = bar_corners(RING), bar_corners(placed(RING, 39.0, -12.5, 0.0))
    np.testing.assert_allclose(moved - at_rest, np.broadcast_to([39.0, -12.5, 0.0], moved.shape))
