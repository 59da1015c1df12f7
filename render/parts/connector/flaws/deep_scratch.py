"""Deep scratches: grooves that go through the zinc, along bent lines, with raised lips.

At distance d from the line, with half width w and depth D,

    height = −D · exp(−(d/w)²) + 0.25 D · exp(−((d − 1.6 w)/(0.6 w))²)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body
from render.parts.connector.flaw import ConnectorFlaw
from stainless.ranges import Range, bounds, check_range
from stainless.streams import Draw

if TYPE_CHECKING:
    from render.parts.connector.shape import Shape

Float64 = npt.NDArray[np.float64]

_STEPS = 32
#: Half widths that the groove with its lips reaches to.
_REACH = 2.4


@dataclass(frozen=True)
class DeepScratch:
    """One scratch.

    Attributes:
        points_mm: three control points of its line, a quadratic Bézier curve.
        half_width_mm: of the groove.
        depth_mm: of the groove.
        bare: how much of the steel shows at its bottom.
    """

    points_mm: tuple[tuple[float, float], ...]
    half_width_mm: float
    depth_mm: float
    bare: float

    def line(self) -> Float64:
        """Return points along it, (N, 2)."""
        t = np.linspace(0, 1, _STEPS + 1)[:, None]
        a, b, c = np.array(self.points_mm)
        return np.asarray((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c)

    def distance(self, x: Float64, y: Float64) -> tuple[Float64, Float64, Float64]:
        """Return how far points are from the line, and the direction away from it."""
        line = self.line()
        best = np.full(np.shape(x), np.inf)
        away_x, away_y = np.zeros(np.shape(x)), np.zeros(np.shape(x))
        for start, end in pairwise(line):
            edge = end - start
            t = ((x - start[0]) * edge[0] + (y - start[1]) * edge[1]) / (edge @ edge)
            t = np.clip(t, 0, 1)
            dx, dy = x - start[0] - t * edge[0], y - start[1] - t * edge[1]
            distance = np.hypot(dx, dy)
            closer = distance < best
            best = np.where(closer, distance, best)
            away_x, away_y = np.where(closer, dx, away_x), np.where(closer, dy, away_y)
        scale = np.maximum(best, 1e-9)
        return best, away_x / scale, away_y / scale


@dataclass
class DeepScratchRanges:
    """What scratches draw from.

    Attributes:
        number: how many a side has, a whole number.
        length_mm: from end to end.
        half_width_mm: half width of the groove.
        depth_per_width: depth of the groove over its half width.
        bend: how far the line's middle lies off, over its length.
        bare: how much of the steel shows at the groove's bottom.
    """

    number: Range = (1.0, 3.0)
    length_mm: Range = (12.0, 40.0)
    half_width_mm: Range = (0.18, 0.36)
    depth_per_width: Range = (0.5, 0.9)
    bend: Range = (0.0, 0.12)
    bare: Range = (0.4, 0.8)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.number", self.number, 1.0, 20.0)
        check_range(f"{key}.length_mm", self.length_mm, 0.5, 200.0)
        check_range(f"{key}.half_width_mm", self.half_width_mm, 0.01, 5.0)
        check_range(f"{key}.depth_per_width", self.depth_per_width, 0.01, 5.0)
        check_range(f"{key}.bend", self.bend, 0.0, 1.0)
        check_range(f"{key}.bare", self.bare, 0.0, 1.0)


class _DeepScratch(ConnectorFlaw):
    """See the module."""

    def sample(self, ranges: DeepScratchRanges, body: Body, draw: Draw) -> list[DeepScratch]:
        """Draw the scratches of one side; they may run over holes and edges."""
        low, high = bounds(ranges.number)
        number = int(np.floor(draw((low, high + 1 - 1e-9)))) if high > low else round(low)
        flaws = []
        for _ in range(number):
            x = draw((-0.42, 0.42)) * body.length_mm
            y = draw((-0.36, 0.36)) * body.width_mm
            turn, length = draw((0.0, np.pi)), draw(ranges.length_mm)
            bend = draw.around(ranges.bend) * 2 * length
            half = draw(ranges.half_width_mm)
            along = np.array([np.cos(turn), np.sin(turn)])
            across = np.array([-along[1], along[0]])
            middle = np.array([x, y])
            points = (
                middle - along * length / 2,
                middle + across * bend,
                middle + along * length / 2,
            )
            flaws.append(
                DeepScratch(
                    tuple((float(px), float(py)) for px, py in points),
                    half,
                    half * draw(ranges.depth_per_width),
                    draw(ranges.bare),
                )
            )
        return flaws

    def slopes(self, flaw: DeepScratch, x: Float64, y: Float64) -> tuple[Float64, Float64]:
        """Return the slopes of groove and lips."""
        found_x, found_y = np.zeros(np.shape(x)), np.zeros(np.shape(x))
        near = _near(flaw, x, y)
        distance, away_x, away_y = flaw.distance(x[near], y[near])
        w, depth = flaw.half_width_mm, flaw.depth_mm
        lip = (distance - 1.6 * w) / (0.6 * w)
        fall = depth * 2 * distance / w**2 * np.exp(-((distance / w) ** 2))
        fall -= 0.25 * depth * 2 * lip / (0.6 * w) * np.exp(-(lip**2))
        found_x[near], found_y[near] = fall * away_x, fall * away_y
        return found_x, found_y

    def bare(self, flaw: DeepScratch, x: Float64, y: Float64) -> Float64:
        """Return how much of the steel shows."""
        found = np.zeros(np.shape(x))
        near = _near(flaw, x, y)
        distance = flaw.distance(x[near], y[near])[0]
        found[near] = flaw.bare * np.exp(-((distance / flaw.half_width_mm) ** 4))
        return found

    def region(self, flaw: DeepScratch, sound: Shape, shape: Shape, x: Float64, y: Float64) -> Any:
        """Return groove and lips; what is not on the sheet is left out by who asks."""
        found = np.zeros(np.shape(x), np.bool_)
        near = _near(flaw, x, y)
        found[near] = flaw.distance(x[near], y[near])[0] < 2.0 * flaw.half_width_mm
        return found


def _near(flaw: DeepScratch, x: Float64, y: Float64) -> Any:
    """Return which points lie in the box that holds all of a scratch."""
    line, reach = flaw.line(), (_REACH + 1) * flaw.half_width_mm
    (x0, y0), (x1, y1) = line.min(axis=0) - reach, line.max(axis=0) + reach
    return (x > x0) & (x < x1) & (y > y0) & (y < y1)


KIND = _DeepScratch(index=103, stream=2, ranges=DeepScratchRanges, through=False)
