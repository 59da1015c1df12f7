"""Dents: steep pits with a raised rim, an irregular outline and the imprint of what struck.

With polar coordinates (r, θ) around the centre, R the outline, n the steepness and W a sum of plane
waves, the imprint:

    z = (r / R(θ))ⁿ,  R(θ) = R₀ (1 + Σ aₖ cos(k θ − φₖ)) over k = 2, 3, …
    height = (D (λ z − 1) + W) · exp(−z)

The floor is the flatter and the flank the steeper the higher n. λ = s n / 2 makes s the share of
the displaced metal that the rim holds, for a round outline: ∫ r z exp(−z) dr = (2 / n) ∫ r exp(−z)
dr.
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
)
from stainless.ranges import Range, check_range, within

#: A dent ends where its rim has sunk into the grooves of a brushed finish, which are some tenths of
#: a micrometre deep with a slope of 0.05 on root mean square; a micrometre closes the mask over the
#: flat floor and the crest of the rim.
HEIGHT_LIMIT_UM = 1.0
SLOPE_LIMIT = 0.03

#: z beyond which the metal is flat: 36 exp(−36) is 1e-14.
REACH = 36.0


@dataclass(frozen=True)
class Wave:
    """One plane wave of an imprint.

    Attributes:
        length_mm: wavelength.
        direction_rad: direction in which the phase grows, against x.
        phase_rad: at the dent's centre.
        height_um: amplitude.
    """

    length_mm: float
    direction_rad: float
    phase_rad: float
    height_um: float


@dataclass(frozen=True)
class Dent:
    """One dent; `dataclasses.asdict` makes it JSON.

    Attributes:
        center_mm: (x, y) of the middle of the floor.
        radius_mm: R₀, of the mean outline, about halfway down the flank.
        outline: (aₖ, φₖ) for k = 2, 3, …; the aₖ add up to less than 1.
        depth_um: D.
        steepness: n, at least 2.
        rim_share: s in [0, 1].
        imprint: the waves of W.
    """

    center_mm: Point
    radius_mm: float
    outline: tuple[tuple[float, float], ...]
    depth_um: float
    steepness: float
    rim_share: float
    imprint: tuple[Wave, ...]


def relief(dent: Dent, x_mm: Float64, y_mm: Float64) -> Relief:
    """Return height (mm) and slopes at points of the plate, arrays of one shape."""
    dx, dy = x_mm - dent.center_mm[0], y_mm - dent.center_mm[1]
    # In the very middle the direction is undefined and all that depends on it zero.
    r = np.maximum(np.hypot(dx, dy), 1e-9 * dent.radius_mm)
    outline, outline_theta = _outline(dent, np.arctan2(dy, dx))
    # Clipped before the power can overflow.
    ratio = np.minimum(r / outline, 2 * REACH ** (1 / dent.steepness))
    z = ratio**dent.steepness
    fade = np.exp(-z)
    wave, wave_x, wave_y = _imprint(dent, dx, dy)

    depth, lift = dent.depth_um / 1000, dent.rim_share * dent.steepness / 2
    height = (depth * (lift * z - 1) + wave) * fade
    height_z = depth * lift * fade - height
    # ∂z/∂r = n z / r and ∂z/∂θ = −n z R′ / R, turned from polar to plate axes.
    radial = height_z * dent.steepness * z / r**2
    turning = outline_theta / outline
    flat = z >= REACH
    return (
        np.where(flat, 0.0, height),
        np.where(flat, 0.0, radial * (dx + turning * dy) + wave_x * fade),
        np.where(flat, 0.0, radial * (dy - turning * dx) + wave_y * fade),
    )


def _outline(dent: Dent, theta: Float64) -> tuple[Float64, Float64]:
    """Return R (mm) and its derivative with respect to θ."""
    radius, turn = np.ones_like(theta), np.zeros_like(theta)
    for k, (amplitude, phase) in enumerate(dent.outline, start=2):
        radius += amplitude * np.cos(k * theta - phase)
        turn -= amplitude * k * np.sin(k * theta - phase)
    return dent.radius_mm * radius, dent.radius_mm * turn


def _imprint(dent: Dent, dx: Float64, dy: Float64) -> Relief:
    """Return W (mm) and its slopes."""
    height, slope_x, slope_y = np.zeros_like(dx), np.zeros_like(dx), np.zeros_like(dx)
    for wave in dent.imprint:
        number = 2 * math.pi / wave.length_mm
        kx, ky = number * math.cos(wave.direction_rad), number * math.sin(wave.direction_rad)
        phase = kx * dx + ky * dy + wave.phase_rad
        height += wave.height_um / 1000 * np.cos(phase)
        slope = -wave.height_um / 1000 * np.sin(phase)
        slope_x += kx * slope
        slope_y += ky * slope
    return height, slope_x, slope_y


def boxes_mm(dent: Dent) -> list[Box]:
    """Return the box outside which the plate is flat."""
    widest = dent.radius_mm * (1 + sum(abs(amplitude) for amplitude, _ in dent.outline))
    reach = widest * REACH ** (1 / dent.steepness)
    return [box_around(dent.center_mm, reach, reach)]


def inside(dent: Dent, relief: Relief) -> npt.NDArray[np.bool_]:
    """Return where a point of the dent's relief belongs to its mask."""
    return stands_out(relief, HEIGHT_LIMIT_UM, SLOPE_LIMIT)


@dataclass
class DentRanges:
    """What the dents of a plate may be like; each draws its own numbers.

    Attributes:
        per_plate: how many, a whole number.
        centers_mm: (x, y) of every dent, instead of their number; None draws them.
        radius_mm: of the mean outline, each order of magnitude as likely.
        irregularity: bound on the outline's deviation from a circle, in radii.
        depth_per_radius: depth over radius.
        steepness: of the flank against the floor; 2 is a bowl, 10 a punch.
        rim_share: share of the displaced metal that the rim holds.
        waves: how many plane waves make the imprint on the floor.
        wave_length: of the imprint, in radii.
        wave_slope: steepest slope of each wave.
    """

    per_plate: Range = (1.0, 3.0)
    centers_mm: list[tuple[float, float]] | None = None
    radius_mm: Range = (0.3, 0.9)
    irregularity: Range = (0.15, 0.4)
    depth_per_radius: Range = (0.015, 0.035)
    steepness: Range = (3.0, 7.0)
    rim_share: Range = (0.2, 0.6)
    waves: int = 7
    wave_length: Range = (0.35, 1.0)
    wave_slope: Range = (0.005, 0.025)


@unique
class _Stream(IntEnum):
    """One stream of random numbers per quantity. Append, never renumber."""

    RADIUS = 2
    IRREGULARITY = 3
    OUTLINE = 4
    DEPTH_PER_RADIUS = 5
    STEEPNESS = 6
    RIM_SHARE = 7
    WAVE_LENGTH = 8
    WAVE_SLOPE = 9
    WAVE_DIRECTION = 10
    WAVE_PHASE = 11


_HARMONICS = 5


def validate(ranges: DentRanges) -> None:
    """Check every field.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    check_placement(ranges.per_plate, ranges.centers_mm)
    check_range("radius_mm", ranges.radius_mm, 0.001, 1000.0)
    check_range("irregularity", ranges.irregularity, 0.0, 0.9)
    check_range("depth_per_radius", ranges.depth_per_radius, 0.0, 10.0)
    check_range("steepness", ranges.steepness, 2.0, 100.0)
    check_range("rim_share", ranges.rim_share, 0.0, 1.0)
    if not 0 <= ranges.waves <= 100:
        raise ValueError(f"waves: {ranges.waves}, expected 0 to 100")
    check_range("wave_length", ranges.wave_length, 0.001, 1000.0)
    check_range("wave_slope", ranges.wave_slope, 0.0, 10.0)


def sample_dents(ranges: DentRanges, area_mm: Box, rng: np.random.Generator) -> list[Dent]:
    """Draw the dents of one plate.

    Args:
        ranges: what may be drawn; widening one range moves no other number, and more dents leave
            those before as they were.
        area_mm: (x0, y0, x1, y1) that holds the centres; dents may reach over its border.
        rng: read for a fixed amount, whatever the ranges.

    Raises:
        ValueError: as `validate`, or the area is empty.
    """
    validate(ranges)
    draws = Draws(rng)

    def outline(k: int) -> tuple[tuple[float, float], ...]:
        # Higher harmonics are weaker: the outline bends, it does not fray.
        u = draws.uniform(_Stream.OUTLINE, k, 2 * _HARMONICS).reshape(_HARMONICS, 2)
        weight = (0.2 + u[:, 0]) / np.arange(2, _HARMONICS + 2)
        bound = draws.even(ranges.irregularity, _Stream.IRREGULARITY, k)
        amplitudes = bound * weight / weight.sum()
        return tuple(zip(amplitudes.tolist(), (2 * np.pi * u[:, 1]).tolist(), strict=True))

    def imprint(k: int, radius: float) -> tuple[Wave, ...]:
        count = ranges.waves
        length = radius * within(ranges.wave_length, draws.uniform(_Stream.WAVE_LENGTH, k, count))
        slope = within(ranges.wave_slope, draws.uniform(_Stream.WAVE_SLOPE, k, count))
        direction = np.pi * draws.uniform(_Stream.WAVE_DIRECTION, k, count)
        phase = 2 * np.pi * draws.uniform(_Stream.WAVE_PHASE, k, count)
        height_um = 1000 * slope * length / (2 * np.pi)
        table = np.stack([length, direction, phase, height_um], axis=1)
        return tuple(Wave(*row) for row in table.tolist())

    def dent(k: int, center: Point) -> Dent:
        radius = draws.logarithmic(ranges.radius_mm, _Stream.RADIUS, k)
        depth = radius * draws.even(ranges.depth_per_radius, _Stream.DEPTH_PER_RADIUS, k)
        return Dent(
            center_mm=center,
            radius_mm=radius,
            outline=outline(k),
            depth_um=1000 * depth,
            steepness=draws.even(ranges.steepness, _Stream.STEEPNESS, k),
            rim_share=draws.even(ranges.rim_share, _Stream.RIM_SHARE, k),
            imprint=imprint(k, radius),
        )

    centers = placed(ranges.per_plate, ranges.centers_mm, area_mm, draws)
    return [dent(k, center) for k, center in enumerate(centers)]


KIND = SurfaceFlaw(
    index=102,
    stream=1,
    layer=1,
    ranges=DentRanges,
    validate=validate,
    sample=sample_dents,
    relief=relief,
    boxes=boxes_mm,
    inside=inside,
)
