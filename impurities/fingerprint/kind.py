"""Fingerprints, as a kind of impurity."""

from __future__ import annotations

from impurities.fingerprint.film import evaluate, rasterize
from impurities.fingerprint.ranges import FingerprintRanges, sample_prints, validate
from impurities.impurity import Impurity

KIND = Impurity(
    index=2,
    stream=1,
    layer=1,
    ranges=FingerprintRanges,
    validate=validate,
    sample=sample_prints,
    evaluate=evaluate,
    rasterize=rasterize,
)
