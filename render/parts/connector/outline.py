"""The outline of a sheet as a polygon, and what may be done to it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body, Hole

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_CORNER_STEPS = 10
#: Longest edge of an outline: what is changed at one place bends no light far from it.
_EDGE_MM = 2.0


def outline(body: Body) -> Float64:
    """Return the corners of a whole sheet, (N, 2) in mm, counter-clockwise."""
    x, y, r = body.length_mm / 2, body.width_mm / 2, body.corner_mm
    if r <= 0:
        return finer(np.array([(-x, -y), (x, -y), (x, y), (-x, y)]), _EDGE_MM)
    quarter = np.linspace(0, np.pi / 2, _CORNER_STEPS + 1)
    corners = [(x - r, y - r), (-x + r, y - r), (-x + r, -y + r), (x - r, -y + r)]
    turns = [quarter + k * np.pi / 2 for k in range(4)]
    arcs = [
        np.c_[cx + r * np.cos(turn), cy + r * np.sin(turn)]
        for (cx, cy), turn in zip(corners, turns, strict=True)
    ]
    return finer(np.vstack(arcs), _EDGE_MM)


def circle(hole: Hole, radius_mm: float, step_mm: float = 0.35) -> Float64:
    """Return the edge of a hole, (N, 2) in mm, clockwise: what is solid lies on the left."""
    count = int(np.clip(round(2 * np.pi * radius_mm / step_mm), 24, 96))
    turn = -2 * np.pi * np.arange(count) / count
    return np.c_[hole.x_mm + radius_mm * np.cos(turn), hole.y_mm + radius_mm * np.sin(turn)]


def finer(points: Float64, step_mm: float, chosen: Bool | None = None) -> Float64:
    """Return a closed polygon with more corners on its edges, none longer than a step.

    Args:
        points: its corners, (N, 2).
        step_mm: the step.
        chosen: (N,), which of the edges, each named by its first corner; None for all.
    """
    ahead = np.roll(points, -1, axis=0)
    pieces = []
    for k, (start, end) in enumerate(zip(points, ahead, strict=True)):
        count = max(1, int(np.ceil(np.hypot(*(end - start)) / step_mm)))
        if chosen is not None and not chosen[k]:
            count = 1
        pieces.append(start + (end - start) * (np.arange(count) / count)[:, None])
    return np.vstack(pieces)


def cut(points: Float64, normal: tuple[float, float], offset_mm: float) -> Float64:
    """Return what a straight cut leaves of a convex polygon: points p with normal · p <= offset."""
    height = points @ np.array(normal) - offset_mm
    kept: list[Float64] = []
    for k in range(len(points)):
        here, there = points[k - 1], points[k]
        a, b = height[k - 1], height[k]
        if (a > 0) != (b > 0):
            kept.append(here + (there - here) * (a / (a - b)))
        if b <= 0:
            kept.append(there)
    return np.array(kept)


def inset(points: Float64, width_mm: float) -> Float64:
    """Return a polygon whose edges are moved to their left, into what is solid."""
    edge = np.roll(points, -1, axis=0) - points
    edge /= np.maximum(np.hypot(*edge.T), 1e-9)[:, None]
    left = np.c_[-edge[:, 1], edge[:, 0]]
    before = np.roll(left, 1, axis=0)
    # At sharp corners the mitre would run away.
    stretch = np.maximum(1 + (left * before).sum(axis=1), 0.5)[:, None]
    return points + width_mm * (left + before) / stretch


def within(points: Float64, x: Float64, y: Float64) -> Bool:
    """Return which points lie inside of a polygon, by the even-odd rule; any shape."""
    inside = np.zeros(np.shape(x), np.bool_)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside
