"""At most one centre per square cell, and the nearest centre among a cell and its neighbours.

Source: the placement of Algorithm 1 in Mao et al., "Sequential PatchCore: Anomaly Detection for
Surface Inspection using Synthetic Impurities", arXiv 2501.09579; the jittered grid with neighbour
look-up goes back to Worley, "A Cellular Texture Basis Function", SIGGRAPH 1996.

Cell (i, j) of size G covers [i·G, (i+1)·G) × [j·G, (j+1)·G); the grid hangs on the origin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stainless.placement import Area

# Keeps a fully jittered centre off its cell's border by more than the rounding of i·G, so that
# dividing by G finds the same cell again.
_INSET = 1e-9


def cells_over(
    area_mm: Area, cell_size_mm: float, margin: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices (i, j) of the cells that overlap an area, in one fixed order.

    Args:
        area_mm: (x0, y0, x1, y1) with x0 < x1 and y0 < y1.
        cell_size_mm: G.
        margin: rings of cells added all around.

    Returns:
        Two int64 arrays of shape (rows, columns): j grows along the rows, i along the columns.
    """
    x0, y0, x1, y1 = (edge / cell_size_mm for edge in area_mm)
    i = np.arange(np.floor(x0) - margin, np.ceil(x1) + margin, dtype=np.int64)
    j = np.arange(np.floor(y0) - margin, np.ceil(y1) + margin, dtype=np.int64)
    columns, rows = np.meshgrid(i, j)
    return columns, rows


def jittered_center(
    cell: ArrayLike, cell_size_mm: float, jitter: float, uniform: ArrayLike
) -> NDArray[np.float64]:
    """Return one coordinate of a cell's centre, in mm: (i + 1/2 + jitter·(u − 1/2))·G.

    Args:
        cell: index i (or j) of the cell.
        cell_size_mm: G.
        jitter: in [0, 1]; 0 is the middle of the cell, 1 anywhere within it.
        uniform: u in [0, 1].
    """
    shift = jitter * (1.0 - _INSET) * (np.asarray(uniform, dtype=np.float64) - 0.5)
    middle: NDArray[np.float64] = np.asarray(cell, dtype=np.float64) + 0.5
    return (middle + shift) * cell_size_mm


def guaranteed_reach_mm(cell_size_mm: float, jitter: float) -> float:
    """Return how near to a point a centre outside its 3×3 cells can come.

    The point may lie at the border of its own cell. From there the next-but-one cell begins at G,
    and jitter leaves (1 − jitter)/2 of a cell free at each of its sides: G·(1 + (1 − jitter)/2).
    Any centre found nearer than this is therefore the nearest of all.
    """
    return cell_size_mm * (1.0 + (1.0 - jitter) / 2.0)


def squared_distance(
    x_mm: NDArray[np.float64], y_mm: NDArray[np.float64], center_mm: tuple[float, float]
) -> NDArray[np.float64]:
    """Return squared distances in mm²; every look-up compares these same numbers."""
    dx = x_mm - center_mm[0]
    dy = y_mm - center_mm[1]
    return np.square(dx) + np.square(dy)


def nearest_center(
    centers_mm: ArrayLike, x_mm: NDArray[np.float64], y_mm: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the index of the nearest of all centres; of equally near ones the first.

    Args:
        centers_mm: (N, 2).
        x_mm: flat array of M coordinates.
        y_mm: the same.

    Returns:
        (M,) int64, all -1 where there is no centre.
    """
    best = np.full(x_mm.shape, -1, dtype=np.int64)
    least = np.full(x_mm.shape, np.inf)
    for index, (cx, cy) in enumerate(np.asarray(centers_mm, dtype=np.float64).reshape(-1, 2)):
        squared = squared_distance(x_mm, y_mm, (cx, cy))
        closer = squared < least
        best[closer] = index
        least[closer] = squared[closer]
    return best
