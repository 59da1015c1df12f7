"""What a distance is here, and how far a faster formula may be from it.

All decisions are taken on `squared_distances`: float64, coordinate by coordinate. Matrix products
only rule out what cannot matter; `product_error` says how far to trust them.
"""

from __future__ import annotations

import numpy as np

#: Unit roundoff: the largest relative error of one rounding.
ROUNDOFF_32 = 2.0**-24
ROUNDOFF_64 = 2.0**-53

#: Smallest normal float32; below it a processor may round to zero.
TINY_32 = 2.0**-126


def squared_distances(points: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return the squared Euclidean distances that decide, symmetric in the arguments.

    Args:
        points: (N, D) float32.
        point: (D,) float32, or (N, D) for row by row.

    Returns:
        (N,) float64.
    """
    difference = points.astype(np.float64)
    difference -= point
    np.square(difference, out=difference)
    return difference.sum(axis=-1)


def product_error(dimension: int, roundoff: float) -> float:
    """Bound the error of |a|² − 2ab + |b|² on centred points, as a share of |a|² + |b|².

    For a = x − c and b = y − c, each rounded, against `squared_distances(x, y)`: the inner product
    and each norm are wrong by at most D·u (Higham, Accuracy and Stability of Numerical Algorithms,
    section 3.1), which is 2·D·u of the sum of the norms; rounding the centred coordinates adds
    4·u, the two additions 4·u, and the reference itself D·u64. The rest is slack for the terms of
    second order.
    """
    return (2 * dimension + 16) * roundoff + 2 * (dimension + 4) * ROUNDOFF_64


def equal_key(patch: np.ndarray) -> bytes:
    """Return a key that is the same for equal features; adding 0.0 makes -0.0 equal to 0.0."""
    return (patch + np.float32(0.0)).tobytes()
