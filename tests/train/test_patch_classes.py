"""The class of a patch from the classes of its pixels."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from train.patch_classes import patch_classes
from train.patch_grid import PatchGrid


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([PatchGrid(3.5, 8), PatchGrid(7.5, 16), PatchGrid(0.0, 1), PatchGrid(1.0, 5)]),
    st.sampled_from([0.02, 0.5, 0.95]),
)
def test_the_most_pixels_of_a_box_decide(seed, height, width, grid, empty):
    random = np.random.default_rng(seed)
    classes = random.choice(np.array([1, 2, 7, 256], np.uint16), (height, width))
    classes[random.random((height, width)) < empty] = 0
    rows, columns = height // grid.pitch + 2, width // grid.pitch + 1
    found = patch_classes(classes, rows, columns, grid)
    assert found.shape == (rows, columns) and found.dtype == classes.dtype
    for row in range(rows):
        for column in range(columns):
            x, y, wide, high = grid.box(row, column)
            inside = classes[y : y + high, x : x + wide].ravel().tolist()
            counts = {index: inside.count(index) for index in sorted({*inside} - {0})}
            assert found[row, column] == max(counts, key=counts.__getitem__, default=0)


def test_nothing_annotated_is_nothing():
    assert not patch_classes(np.zeros((16, 24), np.uint8), 2, 3, PatchGrid(3.5, 8)).any()
