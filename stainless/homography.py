"""From pixels to points of a flat surface.

The pixel frame has its origin in the upper left corner of the picture; the centre of the pixel in
row i and column j is (j + 0.5, i + 0.5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]


def axis_aligned(origin_mm: tuple[float, float], pixel_mm: float) -> Float64:
    """Return the homography of a grid of square pixels whose axes are the surface's.

    Args:
        origin_mm: (x, y) of the corner where pixel (0, 0) begins.
        pixel_mm: edge of a pixel.
    """
    return np.array([[pixel_mm, 0, origin_mm[0]], [0, pixel_mm, origin_mm[1]], [0, 0, 1]], float)


def project(homography: Float64, x: ArrayLike, y: ArrayLike) -> tuple[Float64, Float64]:
    """Apply a (3, 3) homography to points.

    Args:
        homography: H; (X / W, Y / W) with (X, Y, W) = H (x, y, 1).
        x: coordinates, any shape.
        y: the same; broadcast against `x`.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    weight = homography[2, 0] * x + homography[2, 1] * y + homography[2, 2]
    return (
        (homography[0, 0] * x + homography[0, 1] * y + homography[0, 2]) / weight,
        (homography[1, 0] * x + homography[1, 1] * y + homography[1, 2]) / weight,
    )
