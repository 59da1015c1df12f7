"""Pits: round hollows, the smallest kind of flaw there can be.

With ρ the distance to the centre over the radius: height = −D · (1 − ρ²)² for ρ < 1, else 0.
"""

from __future__ import annotations

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
)
from stainless.ranges import Range, check_range


@dataclass(frozen=True)
class Pit:
    """One hollow."""

    center_mm: Point
    radius_mm: float
    depth_um: float


def relief(pit: Pit, x_mm: Float64, y_mm: Float64) -> Relief:
    """Return height (mm) and slopes at points of the plate."""
    dx, dy = (x_mm - pit.center_mm[0]) / pit.radius_mm, (y_mm - pit.center_mm[1]) / pit.radius_mm
    rest = np.maximum(1 - np.square(dx) - np.square(dy), 0.0)
    depth = pit.depth_um / 1000
    rise = 4 * depth / pit.radius_mm * rest
    return -depth * np.square(rest), rise * dx, rise * dy


def boxes_mm(pit: Pit) -> list[Box]:
    """Return the box outside which the plate is flat."""
    return [box_around(pit.center_mm, pit.radius_mm, pit.radius_mm)]


def inside(pit: Pit, relief: Relief) -> npt.NDArray[np.bool_]:
    """Return where a point of the pit's relief belongs to its mask."""
    return stands_out(relief, height_limit_um=1.0, slope_limit=0.02)


@dataclass
class PitRanges:
    """What pits may be like.

    Attributes:
        per_plate: how many, a whole number.
        centers_mm: (x, y) of every pit, instead of their number; None draws them.
        radius_mm: of the hollow.
        depth_um: in its middle.
    """

    per_plate: Range = (1.0, 3.0)
    centers_mm: list[tuple[float, float]] | None = None
    radius_mm: Range = (0.5, 1.5)
    depth_um: Range = (20.0, 60.0)


@unique
class _Stream(IntEnum):
    RADIUS = 2
    DEPTH = 3


def validate(ranges: PitRanges) -> None:
    """Check every field."""
    check_placement(ranges.per_plate, ranges.centers_mm)
    check_range("radius_mm", ranges.radius_mm, 0.001, 1000.0)
    check_range("depth_um", ranges.depth_um, 0.0, 10_000.0)


def sample(ranges: PitRanges, area_mm: Box, rng: np.random.Generator) -> list[Pit]:
    """Draw the pits of one plate."""
    validate(ranges)
    draws = Draws(rng)
    return [
        Pit(
            center,
            draws.even(ranges.radius_mm, _Stream.RADIUS, k),
            draws.even(ranges.depth_um, _Stream.DEPTH, k),
        )
        for k, center in enumerate(placed(ranges.per_plate, ranges.centers_mm, area_mm, draws))
    ]


KIND = SurfaceFlaw(
    index=200,
    stream=99,
    layer=99,
    ranges=PitRanges,
    validate=validate,
    sample=sample,
    relief=relief,
    boxes=boxes_mm,
    inside=inside,
)
