"""Overlapping windows over a grid of cells: where they lie, and the mean of what they say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def starts(cells: int, side: int, stride: int) -> list[int]:
    """Return the first cell of each window along an axis.

    Args:
        cells: of the axis, at least `side`.
        side: cells of a window.
        stride: cells from a window to the next, at most `side`; the last window ends with the axis.
    """
    return [*range(0, cells - side, stride), cells - side]


def cover(cells: int, side: int, stride: int) -> np.ndarray:
    """Return (cells,) float32, how many windows each cell of an axis lies in."""
    count = np.zeros(cells, np.float32)
    for start in starts(cells, side, stride):
        count[start : start + side] += 1
    return count


def mean_over_windows(
    grid: tuple[int, int], side: int, stride: int, within: Callable[[int, int], Tensor]
) -> Tensor:
    """Return the mean of what windows say of each cell; one window is held at a time.

    Args:
        grid: rows and columns.
        side: cells of a window along both axes.
        stride: cells from a window to the next.
        within: returns (B, side, side, D) for the window that begins at a row and a column.

    Returns:
        (B, rows, columns, D) float32.
    """
    rows, columns = grid
    total: Tensor | None = None
    for top in starts(rows, side, stride):
        for left in starts(columns, side, stride):
            found = within(top, left)
            if total is None:
                total = found.new_zeros(found.shape[0], rows, columns, found.shape[-1])
            total[:, top : top + side, left : left + side] += found
    assert total is not None
    count = np.outer(cover(rows, side, stride), cover(columns, side, stride))
    return total.div_(torch.from_numpy(count).to(total.device)[..., None])
