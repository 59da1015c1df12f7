"""Which rules fit to the pictures that there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from train.verdicts.rule import PICTURE, PIXEL, Rule, rule_named

if TYPE_CHECKING:
    from stainless.dataset import Sample

#: Rules of each kind of threshold: the first that has what it needs, else the last.
USUAL = {PIXEL: ("pixel-f1", "false-alarms"), PICTURE: ("balanced", "picture-f1", "false-alarms")}


def lacks(rule: Rule, samples: Sequence[Sample]) -> str | None:
    """Return, in a few words, what a rule needs and samples do not have; None for nothing."""
    if rule.needs_masks and any(sample.truth != PIXEL for sample in samples):
        return "there are no masks"
    if (rule.needs_defects or rule.needs_masks) and all(sample.is_good for sample in samples):
        return "no image has a defect"
    if rule.needs_nominal and not any(sample.is_good for sample in samples):
        return "no image is good"
    return None


def usual_rule(kind: str, samples: Sequence[Sample]) -> Rule:
    """Return the rule of a kind of threshold that nobody has chosen.

    Where pixels are marked as defective, the pixel threshold is that of the highest pixel F1, and
    where pictures are defective, the picture threshold is that of the highest balanced accuracy:
    good and defective ones count the same, however many there are of each. Good pictures alone tell
    only how many of them would be flagged.
    """
    rules = [rule_named(name, kind) for name in USUAL[kind]]
    return next((rule for rule in rules if lacks(rule, samples) is None), rules[-1])


def usual_rules(samples: Sequence[Sample]) -> dict[str, Rule]:
    """Return the usual rule of each kind of threshold that can be fitted to samples."""
    rules = {kind: usual_rule(kind, samples) for kind in (PIXEL, PICTURE)}
    return {kind: rule for kind, rule in rules.items() if lacks(rule, samples) is None}
