"""What the rest of the project knows of a kind of impurity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from impurities.raster import Field, Raster


@dataclass(frozen=True)
class Impurity:
    """One kind of impurity: its numbers, a type of ranges, and what can be done with it.

    Annotations and plans depend on the numbers: they are never changed, and no two kinds share one.

    Attributes:
        index: of its class in the annotations, 1 to 100.
        stream: of its random numbers.
        layer: it lies on top of the kinds with lower ones. Instances are counted in this order.
        ranges: dataclass of ranges; its defaults are usable.
        validate: ranges -> None; ValueError names key, value and expectation.
        sample: (ranges, area_mm, rng) -> list of explicit impurities.
        evaluate: (list, x_mm, y_mm, reflectance) -> `raster.Field`, the same at points.
        rasterize: (list, pixel_to_surface, shape, reflectance, supersample) -> `raster.Raster`.
        diffuse: whether it is a diffuse material that hides the metal, with `diffuse`, `albedo` and
            slopes in its raster, instead of a change of the metal's reflectance.
    """

    index: int
    stream: int
    layer: int
    ranges: type[Any]
    validate: Callable[[Any], None]
    sample: Callable[..., list[Any]]
    evaluate: Callable[..., Field]
    rasterize: Callable[..., Raster]
    diffuse: bool = False
