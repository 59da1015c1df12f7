"""Principal components of vectors that come one batch after the other, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Vectors that are widened to double precision at a time.
CHUNK = 1 << 13


@dataclass(frozen=True)
class Components:
    """Directions of the largest variance.

    Attributes:
        mean: (D,) float64.
        axes: (D, D) float64, a column a component, the largest variance first; the largest entry
            of each is positive, so that they are the same wherever they are computed.
        variances: (D,) float64, along each.
    """

    mean: np.ndarray
    axes: np.ndarray
    variances: np.ndarray


class Covariance:
    """Mean and covariance of all vectors that were added.

    Batches are merged by their means (Chan, Golub, LeVeque, 1983), which is exact where sums of
    squares cancel. Memory: D squared doubles, however many vectors there are.

    Args:
        dimension: D.
    """

    def __init__(self, dimension: int) -> None:
        self.count = 0
        self.mean = np.zeros(dimension)
        self._scatter = np.zeros((dimension, dimension))

    def add(self, vectors: np.ndarray) -> None:
        """Take (N, D) vectors into account."""
        for start in range(0, len(vectors), CHUNK):
            chunk = vectors[start : start + CHUNK].astype(np.float64)
            mean = chunk.mean(axis=0)
            centred, apart = chunk - mean, mean - self.mean
            count = self.count + len(chunk)
            self._scatter += centred.T @ centred
            self._scatter += np.outer(apart, apart) * (self.count * len(chunk) / count)
            self.mean += apart * (len(chunk) / count)
            self.count = count

    def components(self) -> Components:
        """Return the principal components of what was added."""
        variances, axes = np.linalg.eigh(self._scatter / max(self.count, 1))
        variances, axes = variances[::-1].clip(min=0), axes[:, ::-1]
        largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
        return Components(self.mean.copy(), axes * np.where(largest < 0, -1.0, 1.0), variances)
