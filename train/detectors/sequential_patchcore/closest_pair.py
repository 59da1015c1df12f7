"""The closest pair of a changing set of points, kept exactly and cheaply.

Every pair belongs to its newer member. For each member a lower bound on the distance to its
nearest older one is kept; a bound is made exact only when it could be the smallest of all. Since
the newer member of the closest pair is the one that leaves, few bounds are ever touched.
"""

from __future__ import annotations

import numpy as np
import torch

from train.detectors.sequential_patchcore.distances import (
    ROUNDOFF_32,
    ROUNDOFF_64,
    TINY_32,
    product_error,
    squared_distances,
)

ROWS = 256


class ClosestPair:
    """Closest pair of M points under replacement of single points.

    Among equally close pairs, the one whose newer member is oldest.

    Args:
        points: (M, D) float32, M >= 2; shared, the caller writes a point before `replaced`.
        centred: (M, D) float64, the points relative to any common centre; shared.
        order: (M,) int64, larger is newer; shared.

    Attributes:
        squared: squared distance of the closest pair; never decreases as long as each new point is
            farther than that from all the others.
        newer: slot of the newer member of the closest pair.
        older: slot of the older one; of several that are as close, any.
    """

    def __init__(self, points: np.ndarray, centred: np.ndarray, order: np.ndarray) -> None:
        self.points = points
        self.centred = centred
        self.order = order
        self.norms = np.square(centred).sum(axis=1)
        self._largest = float(self.norms.max())
        self._error = product_error(points.shape[1], ROUNDOFF_64)
        count = len(points)
        # float32 halves the largest array of the whole stage; the rounding is part of the margin.
        self._table = np.empty((count, count), np.float32)
        self._bound = np.empty(count)
        self._exact = np.zeros(count, bool)
        self._partner = np.full(count, -1)
        for start in range(0, count, ROWS):
            rows = slice(start, start + ROWS)
            squared = self.products(centred[rows], self.norms[rows])
            self._table[rows] = squared
            squared -= self.margins(self.norms[rows, None])
            squared[order[None, :] >= order[rows, None]] = np.inf
            self._bound[rows] = squared.min(axis=1)
        self._settle()

    def products(self, centred: np.ndarray, norms: np.ndarray) -> np.ndarray:
        """Return (N, M) squared distances to all points, within `margins`, by one product.

        Args:
            centred: (N, D) float64 relative to the common centre.
            norms: (N,) squared lengths of these.
        """
        # torch, since a second pool of threads beside its own would slow both down.
        product = torch.mm(torch.from_numpy(centred), torch.from_numpy(self.centred).T)
        squared = product.numpy()
        squared *= -2.0
        squared += self.norms
        squared += norms[:, None]
        return np.maximum(squared, 0.0, out=squared)

    def margins(self, norms: np.ndarray | float) -> np.ndarray:
        """Return the largest errors of `products` for points of these squared lengths."""
        return self._error * (self.norms + norms)

    def margin(self, norm: float) -> float:
        """Return a bound of all `margins` for a point of this squared length."""
        return self._error * (self._largest + norm)

    def replaced(self, slot: int, squared: np.ndarray) -> None:
        """Take note that `points`, `centred` and `order` hold a new, newest point at `slot`.

        Args:
            slot: the place.
            squared: (M,) its squared distances to all points, within `margins`; `squared[slot]` is
                ignored.
        """
        self.norms[slot] = np.square(self.centred[slot]).sum()
        self._largest = max(self._largest, float(self.norms[slot]))
        self._table[slot] = squared
        below = squared - self.margins(self.norms[slot])
        below[slot] = np.inf
        self._bound[slot] = below.min()
        self._exact[slot] = False
        # What pointed to the old point keeps its distance as a lower bound.
        self._exact &= self._partner != slot
        self._settle()

    def _settle(self) -> None:
        """Find the closest pair: make bounds exact until the smallest are."""
        while True:
            slot = int(self._bound.argmin())
            if self._exact[slot]:
                ties = np.flatnonzero(self._bound == self._bound[slot])
                unsure = ties[~self._exact[ties]]
                if not len(unsure):
                    break
                slot = int(unsure[0])
            self._make_exact(slot)
        self.newer = int(ties[self.order[ties].argmin()])
        self.older = int(self._partner[self.newer])
        self.squared = float(self._bound[self.newer])

    def _make_exact(self, slot: int) -> None:
        """Replace the bound of a slot by the exact distance to its nearest older point."""
        near = self._table[slot].astype(np.float64)
        margin = self.margins(self.norms[slot])
        margin += near * (2 * ROUNDOFF_32) + TINY_32
        near[self.order >= self.order[slot]] = np.inf
        possible = np.flatnonzero(near - margin <= (near + margin).min())
        exact = squared_distances(self.points[possible], self.points[slot])
        self._bound[slot] = exact.min()
        self._partner[slot] = possible[exact.argmin()]
        self._exact[slot] = True
