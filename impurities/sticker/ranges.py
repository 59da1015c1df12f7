"""From ranges to stickers: what may be drawn, the checks on it, and the draw."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum, unique

import numpy as np

from impurities.draws import Draws
from impurities.perlin import PERIOD
from impurities.placement import check_placement, spread, whole_number
from impurities.sticker.digits import text_width
from impurities.sticker.sticker import Bubble, Sticker
from stainless.placement import Area, check_area
from stainless.ranges import Range, bounds, check_range, shown

# As many bubbles are drawn for every sticker, so that a wider range of them moves nothing else.
_MOST_BUBBLES = 16
# Share of the free width that a text may take.
_TEXT_SHARE = 0.85


@dataclass
class StickerRanges:
    """What stickers on a surface may be like; each draws its own numbers.

    A range is a number or (low, high), drawn uniformly. The defaults are those of common office
    labels and marking dots.

    Attributes:
        per_sample: how many on the area, whole numbers.
        jitter: 0 spreads them evenly, 1 puts each anywhere; all keep within the area.
        centers_mm: (x, y) of every sticker, instead of `per_sample` and `jitter`; None draws them.
        angle_deg: counter-clockwise turn; at 0 the text runs along x.
        dots: share of round ones, in [0, 1]; the others have rounded corners.
        diameter_mm: of dots.
        width_mm: of the others, along the text.
        height_mm: across it.
        corner_mm: radius of their corners, at most half of the smallest width and height.
        papers: share of those of paper, in [0, 1]; the others are of film.
        paper_albedo: share of light that blank paper reflects.
        film_albedo: the same of blank film.
        film_diffuse: share of light that film scatters as a diffuse material; that of paper is 1.
        ink_albedo: of the ink on either.
        number: the text, a whole number of one to six digits.
        prints: share of printed texts, in [0, 1]; the others are written by hand.
        digit_share: height of the digits, relative to the sticker's; long texts are smaller.
        stroke_share: width of the pen, relative to the height of the digits.
        slant: how far handwriting leans to the right, in heights of its digits.
        wobble: how far it strays from the printed font, in heights of its digits.
        thickness_mm: how far a sticker stands out.
        rim_mm: over which width it rises; below half of every extent.
        bubbles: how many below each sticker, whole numbers.
        bubble_radius_mm: of a bubble; small stickers have smaller ones.
        bubble_height_mm: of a bubble.
    """

    per_sample: Range = field(default=(1, 3), metadata={"formerly": "per_plate"})
    jitter: float = 0.6
    centers_mm: list[tuple[float, float]] | None = None
    angle_deg: Range = (-180.0, 180.0)
    dots: float = 0.35
    diameter_mm: Range = (8.0, 12.0)
    width_mm: Range = (11.0, 17.0)
    height_mm: Range = (7.0, 10.0)
    corner_mm: Range = (0.5, 1.5)
    papers: float = 0.7
    paper_albedo: Range = (0.68, 0.8)
    film_albedo: Range = (0.6, 0.78)
    film_diffuse: Range = field(default=(0.55, 0.7), metadata={"formerly": "film_matte"})
    ink_albedo: Range = (0.05, 0.12)
    number: Range = (1, 99)
    prints: float = 0.4
    digit_share: Range = (0.42, 0.6)
    stroke_share: Range = (0.09, 0.13)
    slant: Range = (-0.05, 0.3)
    wobble: Range = (0.06, 0.16)
    thickness_mm: Range = (0.06, 0.13)
    rim_mm: Range = (0.12, 0.18)
    bubbles: Range = (0, 4)
    bubble_radius_mm: Range = (0.5, 1.6)
    bubble_height_mm: Range = (0.03, 0.12)


@unique
class _Stream(IntEnum):
    """One stream of random numbers per quantity, so that none depends on another's range.

    The numbers are part of what a seed means: append, never renumber.
    """

    COUNT = 0
    START = 1
    CENTER = 2
    ANGLE = 3
    DOT = 4
    DIAMETER = 5
    WIDTH = 6
    HEIGHT = 7
    CORNER = 8
    PAPER = 9
    ALBEDO = 10
    FILM_DIFFUSE = 11
    INK_ALBEDO = 12
    NUMBER = 13
    PRINT = 14
    DIGIT = 15
    STROKE = 16
    SLANT = 17
    WOBBLE = 18
    NOISE_OFFSET = 19
    THICKNESS = 20
    RIM = 21
    BUBBLES = 22
    BUBBLE_PLACE = 23
    BUBBLE_RADIUS = 24
    BUBBLE_HEIGHT = 25


def validate(ranges: StickerRanges) -> None:
    """Check every field.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    check_placement(ranges.per_sample, ranges.jitter, ranges.centers_mm)
    check_range("angle_deg", ranges.angle_deg, -360.0, 360.0)
    for key in ("dots", "papers", "prints"):
        check_range(key, getattr(ranges, key), 0.0, 1.0)
    for key in ("diameter_mm", "width_mm", "height_mm"):
        check_range(key, getattr(ranges, key), 1.0, 1000.0)
    check_range("corner_mm", ranges.corner_mm, 0.0)
    check_range("rim_mm", ranges.rim_mm, above=0.0)
    smallest = min(bounds(ranges.width_mm)[0], bounds(ranges.height_mm)[0])
    if bounds(ranges.corner_mm)[1] > smallest / 2.0:
        raise ValueError(
            f"corner_mm: {shown(ranges.corner_mm)}, expected at most half of every width_mm and "
            f"height_mm, so {smallest / 2.0:g}"
        )
    smallest = min(smallest, bounds(ranges.diameter_mm)[0])
    if bounds(ranges.rim_mm)[1] >= smallest / 2.0:
        raise ValueError(
            f"rim_mm: {shown(ranges.rim_mm)}, expected below half of every extent, so below "
            f"{smallest / 2.0:g}"
        )
    for key in ("paper_albedo", "film_albedo", "film_diffuse", "ink_albedo"):
        check_range(key, getattr(ranges, key), 0.0, 1.0)
    check_range("number", ranges.number, 0.0, 999_999.0)
    check_range("digit_share", ranges.digit_share, most=1.0, above=0.0)
    check_range("stroke_share", ranges.stroke_share, most=0.5, above=0.0)
    check_range("slant", ranges.slant, -1.0, 1.0)
    check_range("wobble", ranges.wobble, 0.0, 0.5)
    check_range("thickness_mm", ranges.thickness_mm, 0.0, 2.0)
    check_range("bubbles", ranges.bubbles, 0.0, _MOST_BUBBLES)
    check_range("bubble_radius_mm", ranges.bubble_radius_mm, above=0.0)
    check_range("bubble_height_mm", ranges.bubble_height_mm, 0.0, 2.0)
    for key in ("number", "bubbles"):
        if any(not edge.is_integer() for edge in bounds(getattr(ranges, key))):
            raise ValueError(f"{key}: {shown(getattr(ranges, key))}, expected whole numbers")


def sample_stickers(
    ranges: StickerRanges, area_mm: Area, rng: np.random.Generator
) -> list[Sticker]:
    """Draw the stickers of one surface.

    Every quantity has a stream of its own: widening one range moves no other number, and one
    sticker more leaves those before as they were.

    Args:
        ranges: what may be drawn.
        area_mm: (x0, y0, x1, y1) of the surface. Stickers whose place is drawn lie within it, or in
            its middle if it is too small for that.
        rng: read for a fixed amount, whatever the ranges.

    Raises:
        ValueError: as `validate`, or the area is empty.
    """
    validate(ranges)
    check_area(area_mm)
    draws = Draws(rng)
    uniform = draws.uniform

    given = ranges.centers_mm
    if given is None:
        count = whole_number(ranges.per_sample, float(uniform(_Stream.COUNT)))
    else:
        count = len(given)

    dot = uniform(_Stream.DOT, count) < ranges.dots
    diameter = draws.within(ranges.diameter_mm, _Stream.DIAMETER, count)
    width = np.where(dot, diameter, draws.within(ranges.width_mm, _Stream.WIDTH, count))
    height = np.where(dot, diameter, draws.within(ranges.height_mm, _Stream.HEIGHT, count))
    corner = np.where(dot, diameter / 2.0, draws.within(ranges.corner_mm, _Stream.CORNER, count))
    if given is None:
        start, places = uniform(_Stream.START, 2), uniform(_Stream.CENTER, count, 2)
        centers = spread(area_mm, start, places, ranges.jitter, np.hypot(width, height) / 2.0)
    else:
        centers = np.array(given, np.float64).reshape(-1, 2)

    angle = np.radians(draws.within(ranges.angle_deg, _Stream.ANGLE, count))
    paper = uniform(_Stream.PAPER, count) < ranges.papers
    albedo = np.where(
        paper,
        draws.within(ranges.paper_albedo, _Stream.ALBEDO, count),
        draws.within(ranges.film_albedo, _Stream.ALBEDO, count),
    )
    diffuse = np.where(paper, 1.0, draws.within(ranges.film_diffuse, _Stream.FILM_DIFFUSE, count))
    ink = draws.within(ranges.ink_albedo, _Stream.INK_ALBEDO, count)
    texts = [str(whole_number(ranges.number, u)) for u in uniform(_Stream.NUMBER, count)]
    printed = uniform(_Stream.PRINT, count) < ranges.prints
    rim = draws.within(ranges.rim_mm, _Stream.RIM, count)
    # The largest rectangle within rim and rounded corners holds text and bubbles.
    cut = rim + corner * (1.0 - math.sqrt(0.5))
    free = np.stack([width / 2.0 - cut, height / 2.0 - cut], axis=1)
    longest = np.array([_TEXT_SHARE / text_width(text) for text in texts]) * 2.0 * free[:, 0]
    digit = np.minimum(draws.within(ranges.digit_share, _Stream.DIGIT, count) * height, longest)
    stroke = draws.within(ranges.stroke_share, _Stream.STROKE, count) * digit
    slant = np.where(printed, 0.0, draws.within(ranges.slant, _Stream.SLANT, count))
    wobble = np.where(printed, 0.0, draws.within(ranges.wobble, _Stream.WOBBLE, count))
    offset = uniform(_Stream.NOISE_OFFSET, count, 2) * PERIOD
    thickness = draws.within(ranges.thickness_mm, _Stream.THICKNESS, count)

    bubbles = [whole_number(ranges.bubbles, u) for u in uniform(_Stream.BUBBLES, count)]
    place = 2.0 * uniform(_Stream.BUBBLE_PLACE, count, _MOST_BUBBLES, 2) - 1.0
    per_bubble = (count, _MOST_BUBBLES)
    radius = draws.within(ranges.bubble_radius_mm, _Stream.BUBBLE_RADIUS, *per_bubble)
    rise = draws.within(ranges.bubble_height_mm, _Stream.BUBBLE_HEIGHT, *per_bubble)
    radius = np.minimum(radius, free.min(axis=1)[:, None])
    place = place * (free[:, None, :] - radius[:, :, None])

    return [
        Sticker(
            center_mm=(float(centers[k, 0]), float(centers[k, 1])),
            angle_rad=float(angle[k]),
            width_mm=float(width[k]),
            height_mm=float(height[k]),
            corner_mm=float(corner[k]),
            diffuse=float(diffuse[k]),
            albedo=float(albedo[k]),
            ink_albedo=float(ink[k]),
            text=texts[k],
            digit_mm=float(digit[k]),
            stroke_mm=float(stroke[k]),
            slant=float(slant[k]),
            wobble=float(wobble[k]),
            noise_offset=(float(offset[k, 0]), float(offset[k, 1])),
            thickness_mm=float(thickness[k]),
            rim_mm=float(rim[k]),
            bubbles=tuple(
                Bubble(
                    (float(place[k, b, 0]), float(place[k, b, 1])),
                    float(radius[k, b]),
                    float(rise[k, b]),
                )
                for b in range(bubbles[k])
            ),
        )
        for k in range(count)
    ]
