"""From scores to verdicts: rules fit thresholds, pure functions make verdicts of verdicts.

A rule is a file of `train/verdicts/rules/`, found by its place; to list rules imports nothing
heavier than numpy. `train.verdicts.aggregation` goes from pixels to pictures, products and runs.
"""

from train.verdicts.rule import (
    PICTURE,
    PIXEL,
    PRODUCT,
    Fitted,
    Labelled,
    Rule,
    all_rules,
    fit_areas,
    rule_named,
)

__all__ = [
    "PICTURE",
    "PIXEL",
    "PRODUCT",
    "Fitted",
    "Labelled",
    "Rule",
    "all_rules",
    "fit_areas",
    "rule_named",
]
