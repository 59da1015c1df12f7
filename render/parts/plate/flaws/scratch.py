"""Scratches: a groove with raised lips along a curved path.

In axes (ξ, η) with ξ along the chord from one end to the other, the path is the cubic Bézier curve
η = f(ξ) with control points evenly spaced along the chord, so that every point has its place on the
path in closed form. With q the distance to the path over the width w, D the depth at that place and
λ the share of the displaced metal that the lips hold:

    height = D(ξ) · (λ q² − 1) · exp(−q² / 2),  q = (η − f) / (w √(1 + f′²))

∫ q² exp(−q²/2) dq = ∫ exp(−q²/2) dq, hence λ = 0 is metal cut away and λ = 1 metal only pushed
aside.
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
    check_placement,
    placed,
    stands_out,
    turned,
)
from stainless.ranges import Range, check_range, within

#: The grooves of a brushed finish are some tenths of a micrometre deep, their slope 0.05 on root
#: mean square; what is lower and flatter than these limits drowns in them. Groove and lips both
#: count.
HEIGHT_LIMIT_UM = 0.3
SLOPE_LIMIT = 0.03

#: Widths off the path beyond which the metal is flat: 6² exp(−18) is half a millionth.
REACH = 6.0
_MOST_BOXES = 1000


@dataclass(frozen=True)
class Scratch:
    """One scratch; `dataclasses.asdict` makes it JSON.

    Attributes:
        start_mm, end_mm: (x, y) of its two ends; not the same point.
        bend_mm: how far the two inner control points lie to the left of the chord, seen from the
            start.
        width_um: w, standard deviation of the groove's Gaussian cross-section.
        depth_um: depth of the groove at a pressure of 1.
        pressure: factors on the depth at points evenly spaced along the chord, at least two, with
            smooth steps between them; 0 where the tool has lifted, so at both ends.
        lip_share: λ in [0, 1].
    """

    start_mm: Point
    end_mm: Point
    bend_mm: tuple[float, float]
    width_um: float
    depth_um: float
    pressure: tuple[float, ...]
    lip_share: float

    def chord(self) -> tuple[float, float]:
        """Return the length of the chord (mm) and its angle to x."""
        dx, dy = self.end_mm[0] - self.start_mm[0], self.end_mm[1] - self.start_mm[1]
        return math.hypot(dx, dy), math.atan2(dy, dx)


def relief(scratch: Scratch, x_mm: Float64, y_mm: Float64) -> Relief:
    """Return height (mm) and slopes at points of the plate, arrays of one shape."""
    length, angle = scratch.chord()
    along, across = turned(x_mm - scratch.start_mm[0], y_mm - scratch.start_mm[1], angle)
    place = along / length
    width = scratch.width_um / 1000

    path, rise, bend = _path(scratch, place, length)
    cos = 1 / np.sqrt(1 + rise**2)
    q = (across - path) * cos / width
    flat = (np.abs(q) >= REACH) | (place <= 0) | (place >= 1)
    q = np.clip(q, -REACH, REACH)
    # The derivative of cos along the chord is −f′ f″ cos³.
    q_along = -rise * cos / width - q * rise * bend * cos**2
    q_across = cos / width

    share = scratch.lip_share
    bell = np.exp(-0.5 * q**2)
    profile = (share * q**2 - 1) * bell
    profile_q = q * (1 + 2 * share - share * q**2) * bell
    depth, depth_along = _depth(scratch, place, length)
    height = np.where(flat, 0.0, depth * profile)
    slope_along = np.where(flat, 0.0, depth_along * profile + depth * profile_q * q_along)
    slope_across = np.where(flat, 0.0, depth * profile_q * q_across)
    return height, *turned(slope_along, slope_across, -angle)


def _path(scratch: Scratch, place: Float64, length: float) -> tuple[Float64, Float64, Float64]:
    """Return f and its first and second derivative along the chord; `place` is ξ / length."""
    t: Float64 = np.clip(place, 0.0, 1.0)
    rest: Float64 = 1 - t
    first, second = scratch.bend_mm
    path = 3 * t * rest * (first * rest + second * t)
    rise = 3 * (first * rest * (1 - 3 * t) + second * t * (2 - 3 * t))
    bend = 6 * (first * (3 * t - 2) + second * (1 - 3 * t))
    return path, rise / length, bend / length**2


def _depth(scratch: Scratch, place: Float64, length: float) -> tuple[Float64, Float64]:
    """Return the depth (mm) and its derivative along the chord."""
    pressure = scratch.depth_um / 1000 * np.array(scratch.pressure)
    steps = len(pressure) - 1
    position = np.clip(place, 0.0, 1.0) * steps
    below = np.minimum(position.astype(np.int64), steps - 1)
    t = position - below
    step = np.diff(pressure)[below]
    return pressure[below] + step * t**2 * (3 - 2 * t), step * 6 * t * (1 - t) * steps / length


def boxes_mm(scratch: Scratch) -> list[Box]:
    """Return boxes along the path, outside of which the plate is flat."""
    length, angle = scratch.chord()
    reach = REACH * scratch.width_um / 1000
    # As long as the groove is wide: longer ones hold more flat metal, shorter ones overlap.
    count = min(max(1, math.ceil(length / (2 * reach))), _MOST_BOXES)
    half = length / count / 2
    place = (np.arange(count) + 0.5) / count
    # The derivative of a Bézier curve lies between its own control values.
    first, second = scratch.bend_mm
    steepest = 3 * max(abs(first), abs(second - first), abs(second)) / length
    rise = steepest * half + reach * math.hypot(1, steepest)
    middle = turned(place * length, _path(scratch, place, length)[0], -angle)
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    reach_x, reach_y = half * cos + rise * sin, half * sin + rise * cos
    x, y = scratch.start_mm[0] + middle[0], scratch.start_mm[1] + middle[1]
    edges = np.stack([x - reach_x, y - reach_y, x + reach_x, y + reach_y], axis=1)
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in edges.tolist()]


def inside(scratch: Scratch, relief: Relief) -> npt.NDArray[np.bool_]:
    """Return where a point of the scratch's relief belongs to its mask."""
    return stands_out(relief, HEIGHT_LIMIT_UM, SLOPE_LIMIT)


@dataclass
class ScratchRanges:
    """What the scratches of a plate may be like; each draws its own numbers.

    Attributes:
        per_plate: how many, a whole number.
        centers_mm: (x, y) of the middle of every chord, instead of their number; None draws them.
        length_mm: of the chord, each order of magnitude as likely.
        angle_deg: direction of the chord against x.
        bow: how far both inner control points lie off the chord, in lengths of the chord.
        sway: how far the first lies farther off it and the second less, the same.
        width_um: standard deviation of the groove's cross-section, each order of magnitude as
            likely.
        depth_per_width: depth over width at full pressure: how blunt the tool is.
        pressure: factor on the depth, at each knot anew.
        pressure_knots: between the two ends, where the pressure is 0; at least 1.
        skip_share: share of the knots at which the tool has lifted.
        lip_share: share of the displaced metal that the lips hold.
    """

    per_plate: Range = (1.0, 4.0)
    centers_mm: list[tuple[float, float]] | None = None
    length_mm: Range = (3.0, 40.0)
    angle_deg: Range = (0.0, 180.0)
    bow: Range = (-0.09, 0.09)
    sway: Range = (-0.06, 0.06)
    width_um: Range = (12.0, 25.0)
    depth_per_width: Range = (0.06, 0.16)
    pressure: Range = (0.25, 1.0)
    pressure_knots: int = 19
    skip_share: float = 0.08
    lip_share: Range = (0.3, 0.8)


@unique
class _Stream(IntEnum):
    """One stream of random numbers per quantity. Append, never renumber."""

    LENGTH = 2
    ANGLE = 3
    BOW = 4
    SWAY = 5
    WIDTH = 6
    DEPTH_PER_WIDTH = 7
    PRESSURE = 8
    SKIP = 9
    LIP_SHARE = 10


def validate(ranges: ScratchRanges) -> None:
    """Check every field.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    check_placement(ranges.per_plate, ranges.centers_mm)
    check_range("length_mm", ranges.length_mm, 0.01, 10_000.0)
    check_range("angle_deg", ranges.angle_deg, -360.0, 360.0)
    check_range("bow", ranges.bow, -1.0, 1.0)
    check_range("sway", ranges.sway, -1.0, 1.0)
    check_range("width_um", ranges.width_um, 0.1, 10_000.0)
    check_range("depth_per_width", ranges.depth_per_width, 0.0, 10.0)
    check_range("pressure", ranges.pressure, 0.0, 1.0)
    if not 1 <= ranges.pressure_knots <= 1000:
        raise ValueError(f"pressure_knots: {ranges.pressure_knots}, expected 1 to 1000")
    check_range("skip_share", ranges.skip_share, 0.0, 1.0)
    check_range("lip_share", ranges.lip_share, 0.0, 1.0)


def sample_scratches(
    ranges: ScratchRanges, area_mm: Box, rng: np.random.Generator
) -> list[Scratch]:
    """Draw the scratches of one plate.

    Args:
        ranges: what may be drawn; widening one range moves no other number, and more scratches
            leave those before as they were.
        area_mm: (x0, y0, x1, y1) that holds the middles of the chords; scratches may reach over its
            border.
        rng: read for a fixed amount, whatever the ranges.

    Raises:
        ValueError: as `validate`, or the area is empty.
    """
    validate(ranges)
    draws = Draws(rng)

    def scratch(k: int, center: Point) -> Scratch:
        length = draws.logarithmic(ranges.length_mm, _Stream.LENGTH, k)
        angle = math.radians(draws.even(ranges.angle_deg, _Stream.ANGLE, k))
        dx, dy = math.cos(angle) * length / 2, math.sin(angle) * length / 2
        bow = draws.even(ranges.bow, _Stream.BOW, k)
        sway = draws.even(ranges.sway, _Stream.SWAY, k)
        width = draws.logarithmic(ranges.width_um, _Stream.WIDTH, k)
        knots = ranges.pressure_knots
        pressure = within(ranges.pressure, draws.uniform(_Stream.PRESSURE, k, knots))
        pressure[draws.uniform(_Stream.SKIP, k, knots) < ranges.skip_share] = 0.0
        return Scratch(
            start_mm=(center[0] - dx, center[1] - dy),
            end_mm=(center[0] + dx, center[1] + dy),
            bend_mm=((bow + sway) * length, (bow - sway) * length),
            width_um=width,
            depth_um=width * draws.even(ranges.depth_per_width, _Stream.DEPTH_PER_WIDTH, k),
            pressure=(0.0, *pressure.tolist(), 0.0),
            lip_share=draws.even(ranges.lip_share, _Stream.LIP_SHARE, k),
        )

    centers = placed(ranges.per_plate, ranges.centers_mm, area_mm, draws)
    return [scratch(k, center) for k, center in enumerate(centers)]


KIND = SurfaceFlaw(
    index=103,
    stream=2,
    layer=2,
    ranges=ScratchRanges,
    validate=validate,
    sample=sample_scratches,
    relief=relief,
    boxes=boxes_mm,
    inside=inside,
)
