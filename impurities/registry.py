"""The impurities there are, by the name that scenes and annotations call them.

Their order is that of the labels and of the layers: a later one lies on top of those before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from impurities import (
    fingerprint,
    fingerprint_ranges,
    sticker,
    sticker_ranges,
    water_stain,
    water_stain_ranges,
)
from impurities.raster import Field, Raster


@dataclass(frozen=True)
class Impurity:
    """One kind of impurity: a type of ranges, and what can be done with it.

    Attributes:
        ranges: dataclass of ranges; its defaults are usable.
        validate: ranges -> None; ValueError names key, value and expectation.
        sample: (ranges, area_mm, rng) -> list of explicit impurities.
        from_dict: what `dataclasses.asdict` and JSON made of one -> the same again.
        evaluate: (list, x_mm, y_mm, reflectance) -> `raster.Field`, the same at points.
        rasterize: (list, pixel_to_surface, shape, reflectance, supersample) -> `raster.Raster`.
        matte: whether it is a diffuse material that hides the metal, with `matte`, `albedo` and
            slopes in its raster, instead of a change of the metal's reflectance.
    """

    ranges: type[Any]
    validate: Callable[[Any], None]
    sample: Callable[..., list[Any]]
    from_dict: Callable[..., Any]
    evaluate: Callable[..., Field]
    rasterize: Callable[..., Raster]
    matte: bool = False


IMPURITIES: dict[str, Impurity] = {
    water_stain.CLASS_NAME: Impurity(
        water_stain_ranges.WaterStainRanges,
        water_stain_ranges.validate,
        water_stain_ranges.sample_stains,
        water_stain.WaterStain.from_dict,
        water_stain.evaluate,
        water_stain.rasterize,
    ),
    fingerprint.CLASS_NAME: Impurity(
        fingerprint_ranges.FingerprintRanges,
        fingerprint_ranges.validate,
        fingerprint_ranges.sample_prints,
        fingerprint.Fingerprint.from_dict,
        fingerprint.evaluate,
        fingerprint.rasterize,
    ),
    sticker.CLASS_NAME: Impurity(
        sticker_ranges.StickerRanges,
        sticker_ranges.validate,
        sticker_ranges.sample_stickers,
        sticker.Sticker.from_dict,
        sticker.evaluate,
        sticker.rasterize,
        matte=True,
    ),
}
