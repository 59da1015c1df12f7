"""Where a centre may lie, and which one is found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.nine_cells import nearest_in_nine_cells

from impurities.jittered_cells import (
    cells_over,
    guaranteed_reach_mm,
    jittered_center,
    nearest_center,
)

fraction = st.floats(0, 1)


@given(st.integers(-10_000, 10_000), st.floats(0.01, 100), fraction, fraction)
def test_a_centre_stays_in_its_cell(cell, size, jitter, uniform):
    center = jittered_center(cell, size, jitter, uniform)
    assert np.floor(center / size) == cell
    # (cell + 1/2)·size is the middle; jitter allows half a cell to either side at most.
    assert abs(center / size - (cell + 0.5)) <= jitter / 2 + 1e-9


def test_hand_computed_centres():
    assert jittered_center(2, 10.0, 0.0, 0.9) == 25.0  # no jitter: the middle of [20, 30)
    assert jittered_center(2, 10.0, 0.5, 1.0) == pytest.approx(27.5)  # (2.5 + 0.5·0.5)·10
    assert jittered_center(-1, 10.0, 1.0, 0.0) == pytest.approx(-10.0)  # the low border of [-10, 0)


def test_cells_over_an_area_come_in_one_order():
    i, j = cells_over((-1.0, 0.0, 14.0, 7.0), 7.0)
    # x from -1 to 14 touches columns -1, 0, 1; y from 0 to 7 fills row 0 alone.
    assert i.tolist() == [[-1, 0, 1]]
    assert j.tolist() == [[0, 0, 0]]
    i, j = cells_over((0.0, 0.0, 1.0, 1.0), 7.0, margin=1)
    assert i.tolist() == [[-1, 0, 1]] * 3
    assert j.tolist() == [[-1] * 3, [0] * 3, [1] * 3]


def test_equally_near_centres_go_to_the_first():
    centers = [(8.0, 1.0), (6.0, 1.0), (7.0, 20.0)]
    x, y = np.array([7.0]), np.array([1.0])
    assert nearest_center(centers, x, y).tolist() == [0]
    assert nearest_center(centers[::-1], x, y).tolist() == [1]


def test_no_centre_is_found_where_there_is_none():
    x = np.array([0.0, 3.0])
    assert nearest_center([], x, x).tolist() == [-1, -1]


@given(st.integers(0, 2**32), st.floats(0.5, 10), fraction, fraction)
def test_within_the_guaranteed_reach_the_neighbours_suffice(seed, size, jitter, density):
    rng = np.random.default_rng(seed)
    i, j = (cell.ravel() for cell in cells_over((0, 0, 6 * size, 6 * size), size))
    x = jittered_center(i, size, jitter, rng.choice([0.0, 0.5, 1.0, 0.3], len(i)))
    y = jittered_center(j, size, jitter, rng.choice([0.0, 0.5, 1.0, 0.3], len(j)))
    centers = np.stack([x, y], axis=1)[rng.random(len(i)) < density]
    px, py = rng.uniform(0, 6 * size, (2, 200))
    everywhere = nearest_center(centers, px, py)
    nearby = nearest_in_nine_cells(centers, px, py, size)
    least = np.full(200, np.inf)
    for cx, cy in centers:
        least = np.minimum(least, np.hypot(px - cx, py - cy))
    safe = least < guaranteed_reach_mm(size, jitter) * (1 - 1e-8)
    assert np.array_equal(nearby[safe], everywhere[safe])
    # And what lies in the nine cells but beyond the reach is never taken for something near.
    assert (nearby[least > 3 * size] == -1).all()


@pytest.mark.parametrize("jitter", [0.0, 0.4, 1.0])
def test_the_guaranteed_reach_cannot_be_larger(jitter):
    # The point sits at the right border of cell 0; cell 2 is not searched, and its centre is as far
    # left as jitter allows: (2 + 1/2 − jitter/2)·G, so G·(1 + (1 − jitter)/2) away.
    size = 4.0
    point = np.array([np.nextafter(size, 0)]), np.array([2.0])
    center = (float(jittered_center(2, size, jitter, 0.0)), 2.0)
    assert nearest_in_nine_cells([center], *point, size).tolist() == [-1]
    assert center[0] - size == pytest.approx(guaranteed_reach_mm(size, jitter), abs=1e-6)
