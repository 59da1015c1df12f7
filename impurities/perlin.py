"""Perlin's improved gradient noise in the plane, over arrays: the one door to the package `noise`.

The C function `noise.pnoise2` takes one point per call, in float32, and reads beyond its tables
when its argument `base` is wild. Here its lattice of gradients (period 256) is read off once and
then evaluated over arrays in float64; a seed shifts the domain, never `base`.

Source: K. Perlin, "Improving Noise", SIGGRAPH 2002.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stainless.errors import InputError

try:
    from noise import pnoise2
except ImportError:
    raise InputError(
        "rendering needs Python 3.11 and the packages of `pip install --editable '.[render]'` "
        "(noise is missing here)"
    ) from None

#: The noise repeats after this many lattice cells along either axis.
PERIOD = 256

# How far from a lattice point its gradient is read: exact in float32 all over the period, and so
# short that the other corners of the cell weigh less than a thousandth.
_STEP = 2.0**-7


@cache
def _lattice() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the x and y parts of the gradient at every lattice point, indexed [x, y].

    They are -1, 0 or 1. Read off the C function, since the tables that `noise` shows to Python
    differ from those it computes with.
    """
    points = range(PERIOD)
    along_x = [[pnoise2(i + _STEP, j) for j in points] for i in points]
    along_y = [[pnoise2(i, j + _STEP) for j in points] for i in points]
    return np.rint(np.array(along_x) / _STEP), np.rint(np.array(along_y) / _STEP)


def perlin2(x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """Evaluate `noise.pnoise2` over arrays.

    Where the coordinates are exact in float32 the result equals that of `noise` to float32
    precision; elsewhere it is the more exact one. A value depends on its own point alone, not on
    the shape it is asked for in: a row of x against a column of y gives, bit for bit, what the
    points give one by one.

    Args:
        x: coordinates in lattice cells, any finite number; the noise repeats every 256.
        y: the same; broadcast against `x`.

    Returns:
        Noise in [-1, 1], zero at integer points, of the broadcast shape.

    Raises:
        ValueError: a coordinate is not finite.
    """
    gradient_x, gradient_y = _lattice()
    left, u, fade_u = _cell(x, "x")
    low, v, fade_v = _cell(y, "y")
    right = (left + 1) % PERIOD
    high = (low + 1) % PERIOD

    def corner(
        i: NDArray[np.intp], j: NDArray[np.intp], dx: NDArray[np.float64], dy: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return gradient_x[i, j] * dx + gradient_y[i, j] * dy

    near = corner(left, low, u, v)
    near += fade_u * (corner(right, low, u - 1.0, v) - near)
    far = corner(left, high, u, v - 1.0)
    far += fade_u * (corner(right, high, u - 1.0, v - 1.0) - far)
    return near + fade_v * (far - near)


def _cell(
    coordinate: ArrayLike, name: str
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Split a coordinate into lattice index, position within the cell and its fade weight."""
    t = np.asarray(coordinate, dtype=np.float64)
    if not np.isfinite(t).all():
        raise ValueError(f"perlin2: {name} must be finite, got {t[~np.isfinite(t)][0]}")
    # Reduced before the floor: the index then fits an integer whatever the coordinate's size.
    t = np.mod(t, PERIOD)
    whole = np.floor(t)
    within = t - whole
    fade = within * within * within * (within * (within * 6.0 - 15.0) + 10.0)
    return whole.astype(np.intp) % PERIOD, within, fade
