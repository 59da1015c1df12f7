"""At most one centre per square cell, and the nearest centre among a cell and its neighbours.

Source: the placement of Algorithm 1 in Mao et al., "Sequential PatchCore: Anomaly Detection for
Surface Inspection using Synthetic Impurities", arXiv 2501.09579; the jittered grid with neighbour
look-up goes back to Worley, "A Cellular Texture Basis Function", SIGGRAPH 1996.

Cell (i, j) of size G covers [i·G, (i+1)·G) × [j·G, (j+1)·G); the grid hangs on the origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Area = tuple[float, float, float, float]

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


@dataclass(frozen=True)
class CellTable:
    """Which centre lies in which cell.

    Attributes:
        centers_mm: (N, 2) centres.
        cell_size_mm: G.
        first: indices (i, j) of the table's first cell.
        index: (rows, columns) int64, the centre in each cell or -1; one empty ring around.
    """

    centers_mm: NDArray[np.float64]
    cell_size_mm: float
    first: tuple[int, int]
    index: NDArray[np.int64]

    @classmethod
    def of(cls, centers_mm: ArrayLike, cell_size_mm: float) -> CellTable:
        """Sort centres into cells.

        Raises:
            ValueError: two centres share a cell.
        """
        centers = np.asarray(centers_mm, dtype=np.float64).reshape(-1, 2)
        cells = np.floor(centers / cell_size_mm).astype(np.int64)
        if len(cells) == 0:
            return cls(centers, cell_size_mm, (0, 0), np.full((1, 1), -1, dtype=np.int64))
        first = cells.min(axis=0) - 1
        columns, rows = cells.max(axis=0) - first + 2
        index = np.full((rows, columns), -1, dtype=np.int64)
        for k, (i, j) in enumerate(cells - first):
            if index[j, i] >= 0:
                raise ValueError(
                    f"centers_mm: {tuple(centers[index[j, i]])} and {tuple(centers[k])} share a "
                    f"cell of {cell_size_mm} mm, expected at most one centre per cell"
                )
            index[j, i] = k
        return cls(centers, cell_size_mm, (int(first[0]), int(first[1])), index)

    def nearest(self, x_mm: NDArray[np.float64], y_mm: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the index of the nearest centre in each point's own and eight neighbouring cells.

        Args:
            x_mm: flat array of M coordinates.
            y_mm: the same.

        Returns:
            (M,) int64: of equally near centres the first; -1 where the nine cells are empty.
        """
        best = np.full(x_mm.shape, -1, dtype=np.int64)
        least = np.full(x_mm.shape, np.inf)
        # Beyond the table all cells are empty, as its outermost ring is: clamping changes nothing.
        rows, columns = self.index.shape
        i = np.floor(x_mm / self.cell_size_mm) - self.first[0]
        j = np.floor(y_mm / self.cell_size_mm) - self.first[1]
        for dj in (-1, 0, 1):
            for di in (-1, 0, 1):
                column = np.clip(i + di, 0, columns - 1).astype(np.int64)
                row = np.clip(j + dj, 0, rows - 1).astype(np.int64)
                found = self.index[row, column]
                at = np.flatnonzero(found >= 0)
                centers = self.centers_mm[found[at]]
                dx = x_mm[at] - centers[:, 0]
                dy = y_mm[at] - centers[:, 1]
                squared = np.square(dx) + np.square(dy)
                tied = (squared == least[at]) & (found[at] < best[at])
                closer = (squared < least[at]) | tied
                best[at[closer]] = found[at[closer]]
                least[at[closer]] = squared[closer]
        return best
