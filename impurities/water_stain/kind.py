"""Water stains, as a kind of impurity."""

from __future__ import annotations

from impurities.impurity import Impurity
from impurities.water_stain.ranges import WaterStainRanges, sample_stains, validate
from impurities.water_stain.stain import evaluate, rasterize

KIND = Impurity(
    index=1,
    stream=0,
    layer=0,
    ranges=WaterStainRanges,
    validate=validate,
    sample=sample_stains,
    evaluate=evaluate,
    rasterize=rasterize,
)
