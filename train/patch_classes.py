"""What lies on each patch of a picture, from the class of each of its pixels."""

from __future__ import annotations

import numpy as np

from train.patch_grid import PatchGrid


def patch_classes(classes: np.ndarray, rows: int, columns: int, grid: PatchGrid) -> np.ndarray:
    """Return the class of each patch: of those that its box shows at all, the one of most pixels.

    A patch that a stain only touches is one of the stain: its features show the edge.

    Args:
        classes: (H, W) unsigned indices, 0 where nothing lies.
        rows: patches along the height.
        columns: patches along the width.
        grid: where they lie.

    Returns:
        (rows, columns) of the same type; of equally many pixels the lowest index, 0 for none.
    """
    found = np.zeros((rows, columns), classes.dtype)
    most = np.zeros((rows, columns), np.int64)
    tops, bottoms = _ends(grid, rows, classes.shape[0])
    lefts, rights = _ends(grid, columns, classes.shape[1])
    for index in np.unique(classes[classes > 0]):
        sums = np.zeros((classes.shape[0] + 1, classes.shape[1] + 1), np.int32)
        sums[1:, 1:] = (classes == index).cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32)
        down = sums[bottoms] - sums[tops]
        pixels = down[:, rights] - down[:, lefts]
        found[pixels > most] = index
        most = np.maximum(most, pixels)
    return found


def _ends(grid: PatchGrid, cells: int, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first pixel of each patch's box along an axis, and the one after its last."""
    boxes = [grid.box(cell, 0) for cell in range(cells)]
    starts = np.array([y for _, y, _, _ in boxes])
    ends = np.array([y + height for _, y, _, height in boxes])
    return starts.clip(0, pixels), ends.clip(0, pixels)
