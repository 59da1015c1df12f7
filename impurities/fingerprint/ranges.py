"""From ranges to fingerprints: what may be drawn, the checks on it, and the draw."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum, unique

import numpy as np
from numpy.typing import NDArray

from impurities.draws import Draws
from impurities.fingerprint.film import Fingerprint
from impurities.fingerprint.ridges import RidgeFlow
from impurities.perlin import PERIOD
from impurities.placement import check_placement, spread, whole_number
from stainless.placement import Area, check_area
from stainless.ranges import Range, check_range


@dataclass
class FingerprintRanges:
    """What fingerprints on a surface may be like; each print draws its own numbers.

    A range is a number or (low, high), drawn uniformly. Oval and ridges are those of an adult's
    thumb; shares of the patterns are those of a population; the rest was chosen by eye, for prints
    that are seen at a second look.

    Attributes:
        per_sample: how many on the area, whole numbers.
        jitter: 0 spreads them evenly, 1 puts each anywhere.
        centers_mm: (x, y) of every print, instead of `per_sample` and `jitter`; None draws them.
        angle_deg: counter-clockwise turn of the finger; at 0 it points along y.
        width_mm: of the oval that the finger touches.
        length_mm: of that oval.
        period_mm: from ridge to ridge.
        loops: share of loops among the patterns, in [0, 1].
        whorls: share of whorls; what is left are arches.
        contrast: relative change of reflectance below the thickest film, negative for darker.
        haze: share of the film that lies between the ridges too.
        tilt: pressure lost at one side of the oval, in [0, 1]: the contact is partial.
        unevenness: of the pressure, in [0, 0.5].
        gaps: how far the ridges are broken up, in [0, 1].
        drag_mm: how far the finger moved on leaving: the film thins to 1/e on its way.
    """

    per_sample: Range = field(default=(2, 4), metadata={"formerly": "per_plate"})
    jitter: float = 0.6
    centers_mm: list[tuple[float, float]] | None = None
    angle_deg: Range = (-180.0, 180.0)
    width_mm: Range = (10.5, 14.0)
    length_mm: Range = (14.0, 19.0)
    period_mm: Range = (0.45, 0.6)
    loops: float = 0.65
    whorls: float = 0.3
    contrast: Range = (-0.14, -0.04)
    haze: Range = (0.05, 0.35)
    tilt: Range = (0.0, 0.8)
    unevenness: Range = (0.15, 0.45)
    gaps: Range = (0.3, 0.9)
    drag_mm: Range = (0.0, 0.2)


@unique
class _Stream(IntEnum):
    """One stream of random numbers per quantity, so that none depends on another's range.

    The numbers are part of what a seed means: append, never renumber.
    """

    COUNT = 0
    START = 1
    CENTER = 2
    ANGLE = 3
    WIDTH = 4
    LENGTH = 5
    PERIOD = 6
    PATTERN = 7
    CORE = 8
    CONTRAST = 9
    HAZE = 10
    TILT = 11
    TILT_DIRECTION = 12
    UNEVENNESS = 13
    GAPS = 14
    DRAG = 15
    DRAG_DIRECTION = 16
    NOISE_OFFSET = 17
    SEED = 18


def validate(ranges: FingerprintRanges) -> None:
    """Check every field.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    check_placement(ranges.per_sample, ranges.jitter, ranges.centers_mm)
    check_range("angle_deg", ranges.angle_deg, -360.0, 360.0)
    # A finger's; beyond, the grown ridges would take more memory than a print is worth.
    check_range("width_mm", ranges.width_mm, 2.0, 30.0)
    check_range("length_mm", ranges.length_mm, 2.0, 30.0)
    check_range("period_mm", ranges.period_mm, 0.3, 1.5)
    check_range("loops", ranges.loops, 0.0, 1.0)
    check_range("whorls", ranges.whorls, 0.0, 1.0)
    if ranges.loops + ranges.whorls > 1.0:
        raise ValueError(
            f"whorls: {ranges.whorls:g}, expected 1 at most together with loops {ranges.loops:g}"
        )
    check_range("contrast", ranges.contrast, -1.0, 0.0)
    check_range("haze", ranges.haze, 0.0, 1.0)
    check_range("tilt", ranges.tilt, 0.0, 1.0)
    check_range("unevenness", ranges.unevenness, 0.0, 0.5)
    check_range("gaps", ranges.gaps, 0.0, 1.0)
    check_range("drag_mm", ranges.drag_mm, 0.0, 3.0)


def sample_prints(
    ranges: FingerprintRanges, area_mm: Area, rng: np.random.Generator
) -> list[Fingerprint]:
    """Draw the prints of one surface.

    Every quantity has a stream of its own: widening one range moves no other number, and one print
    more leaves those before as they were.

    Args:
        ranges: what may be drawn.
        area_mm: (x0, y0, x1, y1) of the surface. Prints have their centre on it and may reach over
            its border.
        rng: read for a fixed amount, whatever the ranges.

    Raises:
        ValueError: as `validate`, or the area is empty.
    """
    validate(ranges)
    check_area(area_mm)
    draws = Draws(rng)
    uniform = draws.uniform

    if ranges.centers_mm is not None:
        centers = np.array(ranges.centers_mm, np.float64).reshape(-1, 2)
    else:
        count = whole_number(ranges.per_sample, float(uniform(_Stream.COUNT)))
        start, places = uniform(_Stream.START, 2), uniform(_Stream.CENTER, count, 2)
        centers = spread(area_mm, start, places, ranges.jitter)
    count = len(centers)

    angle = draws.within(ranges.angle_deg, _Stream.ANGLE, count)
    width = draws.within(ranges.width_mm, _Stream.WIDTH, count)
    length = draws.within(ranges.length_mm, _Stream.LENGTH, count)
    period = draws.within(ranges.period_mm, _Stream.PERIOD, count)
    pattern = uniform(_Stream.PATTERN, count)
    core = uniform(_Stream.CORE, count, 5)
    contrast = draws.within(ranges.contrast, _Stream.CONTRAST, count)
    haze = draws.within(ranges.haze, _Stream.HAZE, count)
    tilt = draws.within(ranges.tilt, _Stream.TILT, count)
    tilt_direction = draws.within((-math.pi, math.pi), _Stream.TILT_DIRECTION, count)
    unevenness = draws.within(ranges.unevenness, _Stream.UNEVENNESS, count)
    gaps = draws.within(ranges.gaps, _Stream.GAPS, count)
    drag = draws.within(ranges.drag_mm, _Stream.DRAG, count)
    drag_direction = draws.within((-math.pi, math.pi), _Stream.DRAG_DIRECTION, count)
    offset = uniform(_Stream.NOISE_OFFSET, count, 2) * PERIOD
    seed = draws.generator(_Stream.SEED).integers(0, 2**32, size=count)

    return [
        Fingerprint(
            center_mm=(float(centers[k, 0]), float(centers[k, 1])),
            angle_rad=math.radians(angle[k]),
            width_mm=float(width[k]),
            length_mm=float(length[k]),
            period_mm=float(period[k]),
            flow=_flow(ranges, float(pattern[k]), core[k], float(width[k]), float(length[k])),
            contrast=float(contrast[k]),
            haze=float(haze[k]),
            tilt=float(tilt[k]),
            tilt_rad=float(tilt_direction[k]),
            unevenness=float(unevenness[k]),
            gaps=float(gaps[k]),
            drag_mm=(
                float(drag[k]) * math.cos(drag_direction[k]),
                float(drag[k]) * math.sin(drag_direction[k]),
            ),
            noise_offset=(float(offset[k, 0]), float(offset[k, 1])),
            seed=int(seed[k]),
        )
        for k in range(count)
    ]


def _flow(
    ranges: FingerprintRanges,
    pattern: float,
    uniform: NDArray[np.float64],
    width: float,
    length: float,
) -> RidgeFlow:
    """Return a loop, whorl or arch; cores sit above the middle, deltas low at the sides.

    Args:
        ranges: shares of the patterns.
        pattern: in [0, 1), selects the pattern.
        uniform: (5,) in [0, 1), its variation.
        width: of the oval, in mm.
        length: the same.
    """
    shift_u, shift_v, apart, side, lower = uniform.tolist()
    u, v = (shift_u - 0.5) * 0.15 * width, (0.02 + 0.12 * shift_v) * length
    delta_u, delta_v = (0.34 + 0.1 * side) * width, -(0.2 + 0.15 * lower) * length
    if pattern < ranges.loops:
        # Which way the loop opens follows from the side of the delta: thumbs of either hand.
        hand = -1.0 if apart < 0.5 else 1.0
        return RidgeFlow(((u, v),), ((hand * delta_u, delta_v),), 0.25, width)
    if pattern < ranges.loops + ranges.whorls:
        half_u, half_v = 0.04 * width * (2.0 * side - 1.0), (0.02 + 0.07 * apart) * length
        cores = ((u + half_u, v + half_v), (u - half_u, v - half_v))
        return RidgeFlow(cores, ((-delta_u, delta_v), (delta_u, delta_v * 0.9)), 0.15, width)
    return RidgeFlow((), (), 0.4 + 0.4 * apart, (0.9 + 0.4 * side) * width)
