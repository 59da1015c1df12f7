"""Bumps: wide, soft domes of the sheet, low in contrast.

With a, b the half axes of an ellipse and ρ² = (ξ/a)² + (η/b)² in the ellipse's own axes:

    height = H · cos²(π ρ / 2) for ρ < 1, else 0

Both the height and its slope vanish at the border. The flank is steepest halfway, at ρ = 1/2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum, unique

import numpy as np
import numpy.typing as npt

from render.parts.plate.flaw import SurfaceFlaw
from render.parts.plate.surface.relief import (
    Box,
    Draws,
    Float64,
    Point,
    Relief,
    box_around,
    check_placement,
    placed,
    stands_out,
    turned,
)
from stainless.ranges import Range, check_range

#: A good sheet is wavy with a slope of 0.002 to 0.005; what is lower and flatter than these limits
#: is no different from it. The limit of height closes the mask over the flat top.
HEIGHT_LIMIT_UM = 2.0
SLOPE_LIMIT = 0.003


@dataclass(frozen=True)
class Bump:
    """One bump; `dataclasses.asdict` makes it JSON.

    Attributes:
        center_mm: (x, y) of the top.
        radius_mm: geometric mean of the half axes.
        elongation: long half axis over short half axis, at least 1.
        angle_rad: direction of the long axis against x.
        height_um: H; negative for a hollow.
    """

    center_mm: Point
    radius_mm: float
    elongation: float
    angle_rad: float
    height_um: float

    def half_axes_mm(self) -> tuple[float, float]:
        """Return the long and the short half axis."""
        stretch = math.sqrt(self.elongation)
        return self.radius_mm * stretch, self.radius_mm / stretch


def relief(bump: Bump, x_mm: Float64, y_mm: Float64) -> Relief:
    """Return height (mm) and slopes at points of the plate, arrays of one shape."""
    a, b = bump.half_axes_mm()
    along, across = turned(x_mm - bump.center_mm[0], y_mm - bump.center_mm[1], bump.angle_rad)
    rho = np.minimum(np.hypot(along / a, across / b), 1.0)
    height_mm = bump.height_um / 1000
    # sinc(ρ) = sin(πρ) / (πρ) carries the slope through the top, where ρ has no gradient.
    fall = np.where(rho < 1, -height_mm * np.pi**2 / 2 * np.sinc(rho), 0.0)
    slopes = turned(fall * along / a**2, fall * across / b**2, -bump.angle_rad)
    return np.where(rho < 1, height_mm * np.cos(np.pi / 2 * rho) ** 2, 0.0), *slopes


def boxes_mm(bump: Bump) -> list[Box]:
    """Return the box outside which the plate is flat."""
    a, b = bump.half_axes_mm()
    cos, sin = math.cos(bump.angle_rad), math.sin(bump.angle_rad)
    return [box_around(bump.center_mm, math.hypot(a * cos, b * sin), math.hypot(a * sin, b * cos))]


def inside(bump: Bump, relief: Relief) -> npt.NDArray[np.bool_]:
    """Return where a point of the bump's relief belongs to its mask."""
    return stands_out(relief, HEIGHT_LIMIT_UM, SLOPE_LIMIT)


@dataclass
class BumpRanges:
    """What the bumps of a plate may be like; each draws its own numbers.

    Attributes:
        per_plate: how many, a whole number.
        centers_mm: (x, y) of every bump, instead of their number; None draws them.
        radius_mm: mean half axis, each order of magnitude as likely.
        elongation: long over short half axis.
        angle_deg: direction of the long axis against x.
        slope: of the steepest flank, which with the radius gives the height; negative for hollows.
    """

    per_plate: Range = (1.0, 3.0)
    centers_mm: list[tuple[float, float]] | None = None
    radius_mm: Range = (1.8, 4.5)
    elongation: Range = (1.0, 1.5)
    angle_deg: Range = (0.0, 180.0)
    slope: Range = (0.007, 0.015)


@unique
class _Stream(IntEnum):
    """One stream of random numbers per quantity. Append, never renumber."""

    RADIUS = 2
    ELONGATION = 3
    ANGLE = 4
    SLOPE = 5


def validate(ranges: BumpRanges) -> None:
    """Check every field.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    check_placement(ranges.per_plate, ranges.centers_mm)
    check_range("radius_mm", ranges.radius_mm, 0.01, 1000.0)
    check_range("elongation", ranges.elongation, 1.0, 100.0)
    check_range("angle_deg", ranges.angle_deg, -360.0, 360.0)
    check_range("slope", ranges.slope, -2.0, 2.0)


def sample_bumps(ranges: BumpRanges, area_mm: Box, rng: np.random.Generator) -> list[Bump]:
    """Draw the bumps of one plate.

    Args:
        ranges: what may be drawn; widening one range moves no other number, and more bumps leave
            those before as they were.
        area_mm: (x0, y0, x1, y1) that holds the centres; bumps may reach over its border.
        rng: read for a fixed amount, whatever the ranges.

    Raises:
        ValueError: as `validate`, or the area is empty.
    """
    validate(ranges)
    draws = Draws(rng)

    def bump(k: int, center: Point) -> Bump:
        radius = draws.logarithmic(ranges.radius_mm, _Stream.RADIUS, k)
        elongation = draws.even(ranges.elongation, _Stream.ELONGATION, k)
        slope = draws.even(ranges.slope, _Stream.SLOPE, k)
        # The steepest flank lies across the long axis: H · π / 2 over the short half axis.
        height = slope * 2 / math.pi * radius / math.sqrt(elongation)
        angle = math.radians(draws.even(ranges.angle_deg, _Stream.ANGLE, k))
        return Bump(center, radius, elongation, angle, 1000 * height)

    centers = placed(ranges.per_plate, ranges.centers_mm, area_mm, draws)
    return [bump(k, center) for k, center in enumerate(centers)]


KIND = SurfaceFlaw(
    index=101,
    stream=0,
    layer=0,
    ranges=BumpRanges,
    validate=validate,
    sample=sample_bumps,
    relief=relief,
    boxes=boxes_mm,
    inside=inside,
)
