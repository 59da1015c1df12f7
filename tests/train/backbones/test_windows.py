"""Windows over a grid of cells: they cover it, and their mean is what a loop would find."""

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from train.backbones.windows import cover, mean_over_windows, starts


@st.composite
def layouts(draw):
    side = draw(st.integers(1, 6))
    stride = draw(st.integers(1, side))
    return draw(st.integers(side, 20)), side, stride


@given(layouts())
def test_windows_cover_every_cell_and_stay_inside(layout):
    cells, side, stride = layout
    found = starts(cells, side, stride)
    assert found[0] == 0 and found[-1] == cells - side
    assert all(0 < later - before <= stride for before, later in pairwise(found))
    counted = np.zeros(cells)
    for start in found:
        counted[start : start + side] += 1
    assert counted.min() >= 1
    np.testing.assert_array_equal(cover(cells, side, stride), counted)


@given(layouts(), st.integers(0, 5), st.integers(0, 99))
def test_overlaps_are_the_mean_of_what_is_said_of_a_cell(layout, more, seed):
    rows, side, stride = layout
    rng = np.random.default_rng(seed)
    said: dict[tuple[int, int], list[np.ndarray]] = {}

    def within(top, left):
        window = rng.standard_normal((1, side, side, 2))
        for row in range(side):
            for column in range(side):
                place = (top + row, left + column)
                said.setdefault(place, []).append(window[0, row, column])
        return torch.from_numpy(window)

    found = mean_over_windows((rows, rows + more), side, stride, within)
    assert found.shape == (1, rows, rows + more, 2)
    for (row, column), values in said.items():
        np.testing.assert_allclose(found[0, row, column], np.mean(values, axis=0), atol=1e-12)
