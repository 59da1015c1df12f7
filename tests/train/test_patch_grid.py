"""The geometry of patches: by hand, and boxes, centres and cells against one another."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from train.patch_grid import PatchGrid


def test_by_hand() -> None:
    grid = PatchGrid(3.5, 8)
    assert grid.box(0, 2) == (16, 0, 8, 8) and grid.cell(15, 9) == 1 and grid.cell(16, 9) == 2
    assert grid.centres(3).tolist() == [3.5, 11.5, 19.5]
    # Centred on the first pixel, the first patch loses what lies outside of the picture.
    assert PatchGrid(0.0, 8).box(0, 1) == (4, 0, 8, 4)


@given(
    first=st.sampled_from([0.0, 1.5, 3.5, 7.5]),
    pitch=st.sampled_from([4, 8, 16, 24]),
    cell=st.integers(0, 40),
)
def test_the_box_of_a_patch_holds_what_is_nearest_to_it(first, pitch, cell) -> None:
    grid = PatchGrid(first, pitch)
    x, y, width, height = grid.box(cell, cell)
    assert (x, width) == (y, height) and x >= 0
    inside = np.arange(x + 1, x + width - 1)
    assert (grid.cells(inside, 50) == cell).all()
    assert [grid.cell(pixel, 50) for pixel in inside] == [cell] * len(inside)
    assert x <= grid.centres(cell + 1)[cell] <= x + width
