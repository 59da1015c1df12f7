"""Stickers, as a kind of impurity."""

from __future__ import annotations

from impurities.impurity import Impurity
from impurities.sticker.ranges import StickerRanges, sample_stickers, validate
from impurities.sticker.sticker import evaluate, rasterize

KIND = Impurity(
    index=3,
    stream=2,
    layer=2,
    ranges=StickerRanges,
    validate=validate,
    sample=sample_stickers,
    evaluate=evaluate,
    rasterize=rasterize,
    diffuse=True,
)
