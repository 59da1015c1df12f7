"""What all kinds of defects share: the relief, the rule of the mask, placement and random draws.

A defect is a height over the flat sheet, given in plate coordinates (mm), with its exact slopes.
Outside its boxes a defect's height is zero, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stainless.placement import check_area, check_centers, check_count
from stainless.ranges import Range, bounds, within
from stainless.streams import Purposes

Float64 = npt.NDArray[np.float64]
Point = tuple[float, float]

#: (x0, y0, x1, y1) with x0 <= x1 and y0 <= y1, in mm.
Box = tuple[float, float, float, float]

#: Height in mm and slopes dz/dx, dz/dy, arrays of one shape.
Relief = tuple[Float64, Float64, Float64]

#: Streams that every kind has; the kinds number their own from 2 on.
COUNT, CENTER = 0, 1


def stands_out(relief: Relief, height_limit_um: float, slope_limit: float) -> npt.NDArray[np.bool_]:
    """Return where a relief is higher or deeper than one limit, or steeper than the other."""
    height, slope_x, slope_y = relief
    steep = np.hypot(slope_x, slope_y) > slope_limit
    return np.asarray((np.abs(height) > height_limit_um / 1000) | steep)


def turned(x: Float64, y: Float64, angle_rad: float) -> tuple[Float64, Float64]:
    """Return the coordinates of vectors (x, y) in axes that are turned by an angle."""
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    return cos * x + sin * y, cos * y - sin * x


def box_around(center_mm: Point, reach_x_mm: float, reach_y_mm: float) -> Box:
    """Return the box that reaches so far to either side of a centre."""
    x, y = center_mm
    return x - reach_x_mm, y - reach_y_mm, x + reach_x_mm, y + reach_y_mm


class Draws(Purposes):
    """Random numbers by purpose and member, none of which depends on how many others are drawn."""

    def uniform(self, stream: int, member: int, count: int) -> Float64:
        """Return numbers of [0, 1); more of them leave those before as they were."""
        return self.generator(stream, member).random(count)

    def even(self, value: Range, stream: int, member: int) -> float:
        """Return a number from a range, each as likely."""
        return float(within(value, self.uniform(stream, member, 1)[0]))

    def logarithmic(self, value: Range, stream: int, member: int) -> float:
        """Return a number from a positive range, each order of magnitude as likely."""
        low, high = bounds(value)
        drawn = self.even((math.log(low), math.log(high)), stream, member)
        return min(max(math.exp(drawn), low), high)


def check_placement(per_plate: Range, centers_mm: Sequence[Point] | None) -> None:
    """Check the two keys that every kind has.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    check_count("per_plate", per_plate)
    check_centers(centers_mm)


def placed(
    per_plate: Range, centers_mm: Sequence[Point] | None, area_mm: Box, draws: Draws
) -> list[Point]:
    """Return the centres of one plate's defects: those given, or as many as drawn, evenly spread.

    Raises:
        ValueError: the area is empty.
    """
    check_area(area_mm)
    if centers_mm is not None:
        return [(float(x), float(y)) for x, y in centers_mm]
    low, high = bounds(per_plate)
    x0, y0, x1, y1 = area_mm
    centers = []
    for member in range(int(draws.even((low, high + 1), COUNT, 0))):
        u = draws.uniform(CENTER, member, 2)
        centers.append((float(within((x0, x1), u[0])), float(within((y0, y1), u[1]))))
    return centers
