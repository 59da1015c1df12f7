"""The nearest centre as the paper looks for it: in a point's own cell and the eight around."""

from __future__ import annotations

import numpy as np


def nearest_in_nine_cells(
    centers_mm: object, x_mm: np.ndarray, y_mm: np.ndarray, cell_size_mm: float
) -> np.ndarray:
    """Return the index of the nearest centre, of equally near ones the first, -1 for none."""
    centers = np.asarray(centers_mm, np.float64).reshape(-1, 2)
    cells = np.floor(centers / cell_size_mm).astype(np.int64)
    held = {(i, j): k for k, (i, j) in enumerate(cells.tolist())}
    assert len(held) == len(centers), "two centres share a cell"
    best = np.full(x_mm.shape, -1, np.int64)
    own = np.floor(np.stack([x_mm, y_mm], axis=1) / cell_size_mm).astype(np.int64)
    for at, (i, j) in enumerate(own.tolist()):
        near = [
            (float(np.square(x_mm[at] - centers[k, 0]) + np.square(y_mm[at] - centers[k, 1])), k)
            for di in (-1, 0, 1)
            for dj in (-1, 0, 1)
            if (k := held.get((i + di, j + dj))) is not None
        ]
        if near:
            best[at] = min(near)[1]
    return best
