"""Smudges: discs within which the metal is darker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, unique

import numpy as np
from numpy.typing import ArrayLike

from impurities.draws import Draws
from impurities.impurity import Impurity
from impurities.placement import check_placement, spread, whole_number
from impurities.raster import (
    Array,
    Field,
    Raster,
    check_members,
    check_picture,
    points,
    within_pixels,
)
from stainless.homography import project
from stainless.placement import Area, check_area
from stainless.ranges import Range, check_range


@dataclass(frozen=True)
class Smudge:
    """One disc; reflectance within it is multiplied by 1 + contrast."""

    center_mm: tuple[float, float]
    radius_mm: float
    contrast: float


def evaluate(
    smudges: Sequence[Smudge], x_mm: ArrayLike, y_mm: ArrayLike, reflectance: ArrayLike = 1.0
) -> Field:
    """Evaluate smudges at points of the surface."""
    check_members(smudges, reflectance)
    x, y = points(x_mm, y_mm)
    after = np.array(np.broadcast_to(np.asarray(reflectance, np.float64), x.shape))
    instance = np.zeros(x.shape, np.uint16)
    for number, smudge in enumerate(smudges, start=1):
        inside = np.hypot(x - smudge.center_mm[0], y - smudge.center_mm[1]) < smudge.radius_mm
        after[inside] *= 1.0 + smudge.contrast
        instance[inside] = number
    return Field(after, instance > 0, instance)


def rasterize(
    smudges: Sequence[Smudge],
    pixel_to_surface: Array,
    shape: tuple[int, int],
    reflectance: float = 1.0,
    supersample: int = 3,
) -> Raster:
    """Evaluate smudges over the pixels of a picture."""
    check_members(smudges, reflectance)
    check_picture(pixel_to_surface, reflectance, supersample)
    rows, columns = np.indices(shape)
    field = evaluate(smudges, *project(pixel_to_surface, columns + 0.5, rows + 0.5), reflectance)
    fine = within_pixels(pixel_to_surface, rows.ravel(), columns.ravel(), supersample)
    mean = evaluate(smudges, *fine, reflectance).reflectance.mean(axis=1).reshape(shape)
    return Raster((mean / reflectance).astype(np.float32), field.mask, field.instance)


@dataclass
class SmudgeRanges:
    """What smudges may be like.

    Attributes:
        per_sample: how many, a whole number.
        centers_mm: (x, y) of every smudge, instead of their number; None draws them.
        radius_mm: of the disc.
        contrast: relative change of reflectance.
    """

    per_sample: Range = (1.0, 3.0)
    centers_mm: list[tuple[float, float]] | None = None
    radius_mm: Range = (2.0, 4.0)
    contrast: Range = (-0.5, -0.2)


@unique
class _Stream(IntEnum):
    COUNT = 0
    START = 1
    CENTER = 2
    RADIUS = 3
    CONTRAST = 4


def validate(ranges: SmudgeRanges) -> None:
    """Check every field."""
    check_placement(ranges.per_sample, 1.0, ranges.centers_mm)
    check_range("radius_mm", ranges.radius_mm, above=0.0)
    check_range("contrast", ranges.contrast, -1.0, 0.0)


def sample(ranges: SmudgeRanges, area_mm: Area, rng: np.random.Generator) -> list[Smudge]:
    """Draw the smudges of one surface."""
    validate(ranges)
    check_area(area_mm)
    draws = Draws(rng)
    centers = np.array(ranges.centers_mm or [], np.float64).reshape(-1, 2)
    if ranges.centers_mm is None:
        count = whole_number(ranges.per_sample, float(draws.uniform(_Stream.COUNT)))
        places = draws.uniform(_Stream.CENTER, count, 2)
        centers = spread(area_mm, draws.uniform(_Stream.START, 2), places, 1.0)
    radii = draws.within(ranges.radius_mm, _Stream.RADIUS, len(centers))
    contrasts = draws.within(ranges.contrast, _Stream.CONTRAST, len(centers))
    return [
        Smudge((float(x), float(y)), float(radius), float(contrast))
        for (x, y), radius, contrast in zip(centers, radii, contrasts, strict=True)
    ]


KIND = Impurity(
    index=100,
    stream=99,
    layer=99,
    ranges=SmudgeRanges,
    validate=validate,
    sample=sample,
    evaluate=evaluate,
    rasterize=rasterize,
)
