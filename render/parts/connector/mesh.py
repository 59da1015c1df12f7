"""Polygons with holes as surfaces: a flat top, rounded rims and walls."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from render.parts.connector.outline import inset

Float64 = npt.NDArray[np.float64]
Faces = tuple[tuple[int, ...], ...]

_BEVEL_STEPS = 4
#: Slabs narrower than this are none (mm).
_THIN = 1e-7


def flat(loops: Sequence[Float64]) -> tuple[Float64, Faces]:
    """Return the plane area that loops enclose by the even-odd rule, as trapezoids.

    The area is cut along x at each corner of a loop; between two cuts every second strip between
    edges is solid. Loops must not cross.

    Args:
        loops: closed polygons, (N, 2) each.

    Returns:
        Corners (M, 2) and faces of four of them, counter-clockwise.
    """
    start = np.vstack(loops)
    end = np.vstack([np.roll(loop, -1, axis=0) for loop in loops])
    swapped = start[:, 0] > end[:, 0]
    start, end = np.where(swapped[:, None], end, start), np.where(swapped[:, None], start, end)
    leaning = end[:, 0] - start[:, 0] > _THIN
    start, end = start[leaning], end[leaning]
    slope = (end[:, 1] - start[:, 1]) / (end[:, 0] - start[:, 0])
    cuts = np.unique(np.vstack(loops)[:, 0])
    corners: list[tuple[float, float]] = []
    for left, right in pairwise(cuts):
        if right - left <= _THIN:
            continue
        middle = (left + right) / 2
        crossing = np.flatnonzero((start[:, 0] < middle) & (end[:, 0] > middle))
        low = start[crossing, 1] + slope[crossing] * (left - start[crossing, 0])
        high = start[crossing, 1] + slope[crossing] * (right - start[crossing, 0])
        order = np.argsort(low + high, kind="stable")
        for below, above in zip(order[::2], order[1::2], strict=True):
            corners += [
                (left, low[below]),
                (right, high[below]),
                (right, high[above]),
                (left, low[above]),
            ]
    faces = tuple((k, k + 1, k + 2, k + 3) for k in range(0, len(corners), 4))
    return np.array(corners), faces


def rim(loop: Float64, bevel_mm: float, thickness_mm: float) -> tuple[Float64, Faces]:
    """Return the rounded edge below a top loop and the wall under it.

    Args:
        loop: the outermost line, (N, 2), with what is solid on its left.
        bevel_mm: radius of the rounding; the top begins that far inside.
        thickness_mm: of the sheet, from z = 0 down.

    Returns:
        Corners (M, 3) and faces, counter-clockwise seen from outside.
    """
    levels = []
    for angle in np.linspace(0, np.pi / 2, _BEVEL_STEPS + 1):
        moved = inset(loop, bevel_mm * (1 - np.sin(angle)))
        levels.append(np.c_[moved, np.full(len(loop), bevel_mm * (np.cos(angle) - 1))])
    levels.append(np.c_[loop, np.full(len(loop), -thickness_mm)])
    count = len(loop)
    faces = tuple(
        (a + i, a + (i + 1) % count, b + (i + 1) % count, b + i)
        for level in range(len(levels) - 1)
        for a, b in (((level + 1) * count, level * count),)
        for i in range(count)
    )
    return np.vstack(levels), faces
