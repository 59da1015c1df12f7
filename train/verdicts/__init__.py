"""From scores to verdicts: thresholds are fitted by rules, verdicts aggregated by pure functions.

A rule is a file of `train/verdicts/rules/`, found by its place. Nothing here imports more than
numpy until a rule is applied.
"""

from train.verdicts.aggregation import (
    ANOMALOUS,
    NOMINAL,
    flagged_pixels,
    k_of_n,
    picture_rejected,
    product_rejected,
    rejecting_areas,
    verdict,
)
from train.verdicts.rule import PICTURE, PIXEL, Fitted, Labelled, Rule, fit_areas, rule, rules

__all__ = [
    "ANOMALOUS",
    "NOMINAL",
    "PICTURE",
    "PIXEL",
    "Fitted",
    "Labelled",
    "Rule",
    "fit_areas",
    "flagged_pixels",
    "k_of_n",
    "picture_rejected",
    "product_rejected",
    "rejecting_areas",
    "rule",
    "rules",
    "verdict",
]
