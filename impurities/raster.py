"""What every impurity gives back, at points and over the pixels of a picture, and how to get there.

An impurity either changes the reflectance of the metal below it (`reflectance`, `ratio`), or it is
a diffuse material of its own that hides the metal (`diffuse`, `albedo`) and may stand out from it
(`slope_x`, `slope_y`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stainless.homography import project

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

_MOST_INSTANCES = np.iinfo(np.uint16).max
# Determinant of a homography below which it is none: pixels of 1e-10 mm.
_SINGULAR = 1e-20


@dataclass(frozen=True)
class Field:
    """Impurities of one kind at points; arrays of the points' shape.

    Attributes:
        reflectance: of the metal with what lies on it, float64.
        mask: bool, true where one lies.
        instance: uint16, 1-based index into the list, 0 where none.
        diffuse: float64 in [0, 1], share of diffuse material; None for a kind without.
        albedo: float64 in [0, 1], of that material; 0 where there is none.
        slope_x: float64, dz/dx of what raises the surface, along the surface's x axis.
        slope_y: float64, dz/dy.
    """

    reflectance: Array
    mask: Mask
    instance: NDArray[np.uint16]
    diffuse: Array | None = None
    albedo: Array | None = None
    slope_x: Array | None = None
    slope_y: Array | None = None


@dataclass(frozen=True)
class Raster:
    """Impurities of one kind over the pixels of a picture; arrays of shape (rows, columns).

    Attributes:
        ratio: float32, reflectance with them over reflectance without, mean over the pixel's area;
            exactly 1 away from them.
        mask: bool, true where one lies at the pixel's centre.
        instance: uint16, 1-based index into the list, 0 where none.
        diffuse: float32 in [0, 1], share of the pixel that diffuse material covers; exactly 0 away
            from them. None for a kind without.
        albedo: float32 in [0, 1], of that material, mean over what the pixel has of it; 0 where
            there is none.
        slope_x: float32, dz/dx of what raises the surface, along the surface's x axis, mean over
            the pixel; 0 away from them.
        slope_y: float32, dz/dy.
    """

    ratio: Float32
    mask: Mask
    instance: NDArray[np.uint16]
    diffuse: Float32 | None = None
    albedo: Float32 | None = None
    slope_x: Float32 | None = None
    slope_y: Float32 | None = None


def check_members(members: Sequence[Any], reflectance: ArrayLike) -> None:
    """Check what both an evaluation and a picture need.

    Raises:
        ValueError: reflectance outside [0, 1], or more members than instances can count.
    """
    if len(members) > _MOST_INSTANCES:
        raise ValueError(f"instances: {len(members)}, expected at most {_MOST_INSTANCES}")
    given = np.asarray(reflectance, dtype=np.float64)
    if not ((given >= 0) & (given <= 1)).all():
        raise ValueError(f"reflectance: {given.min()} to {given.max()}, expected within [0, 1]")


def check_picture(pixel_to_surface: Array, reflectance: float, supersample: int) -> None:
    """Check what a picture needs beyond `check_members`.

    Raises:
        ValueError: reflectance is 0, a singular homography, or supersample not positive.
    """
    if not reflectance > 0:
        raise ValueError(f"reflectance: {reflectance}, expected above 0: the ratio divides by it")
    if supersample < 1:
        raise ValueError(f"supersample: {supersample}, expected at least 1")
    if abs(np.linalg.det(pixel_to_surface)) < _SINGULAR:
        raise ValueError("pixel_to_surface: singular, expected an invertible (3, 3) homography")


def points(x_mm: ArrayLike, y_mm: ArrayLike) -> tuple[Array, Array]:
    """Return coordinates as contiguous float64 arrays of one shape.

    Raises:
        ValueError: a coordinate is not finite.
    """
    x, y = (np.ascontiguousarray(a, dtype=np.float64) for a in np.broadcast_arrays(x_mm, y_mm))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("x_mm, y_mm: expected finite coordinates")
    return x, y


def window(
    center_mm: tuple[float, float], reach_mm: float, surface_to_pixel: Array, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows and columns that a square around a centre can touch.

    Two are to spare on each side; both run from -1 to the count at most, one pixel beyond the
    picture, to see what crosses its border.

    Args:
        center_mm: middle of the square.
        reach_mm: half its edge.
        surface_to_pixel: (3, 3) homography.
        shape: rows and columns of the picture.
    """
    (x, y), reach = center_mm, reach_mm
    corners = (
        [x - reach, x + reach, x + reach, x - reach],
        [y - reach, y - reach, y + reach, y + reach],
    )
    across, down = project(surface_to_pixel, *corners)
    axes = []
    for position, count in ((down, shape[0]), (across, shape[1])):
        first = max(-1.0, math.floor(position.min()) - 2)
        last = min(float(count), math.ceil(position.max()) + 2)
        axes.append(np.arange(first, last + 1).astype(np.int64))
    return axes[0], axes[1]


def pixels_near(
    center_mm: tuple[float, float], reach_mm: float, surface_to_pixel: Array, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows and columns of a picture that a square around a centre can touch.

    As `window`, without the pixels beyond the picture.
    """
    rows, columns = window(center_mm, reach_mm, surface_to_pixel, shape)
    return (
        rows[(rows >= 0) & (rows < shape[0])],
        columns[(columns >= 0) & (columns < shape[1])],
    )


def pixel_edge_mm(pixel_to_surface: Array, shape: tuple[int, int]) -> float:
    """Return the edge of the pixel in the middle of the picture; the others are much the same."""
    x, y = np.array([0.0, 1.0, 0.0]) + shape[1] / 2, np.array([0.0, 0.0, 1.0]) + shape[0] / 2
    x, y = project(pixel_to_surface, x, y)
    return float(np.hypot(x[1:] - x[0], y[1:] - y[0]).max())


def within_pixels(
    pixel_to_surface: Array, rows: NDArray[np.int64], columns: NDArray[np.int64], supersample: int
) -> tuple[Array, Array]:
    """Return surface points on a regular grid inside each of some pixels.

    Args:
        pixel_to_surface: (3, 3) homography.
        rows: of the pixels, (N,).
        columns: the same.
        supersample: points per pixel edge.

    Returns:
        x and y in mm, (N, supersample²).
    """
    steps = (np.arange(supersample) + 0.5) / supersample
    sub_x, sub_y = np.meshgrid(steps, steps)
    return project(
        pixel_to_surface, columns[:, None] + sub_x.ravel(), rows[:, None] + sub_y.ravel()
    )
