"""What a rule is that fits a threshold, and how rules are found.

A rule is a module of `train/verdicts/rules/` that describes itself in `RULE`. Commands offer it by
its name, and its parameter as an option of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from stainless import plugins
from stainless.errors import InputError

if TYPE_CHECKING:
    from train.metrics.scores import Maps

#: What a threshold can be of; their thresholds lie under these names in a model.
PIXEL, PICTURE, PRODUCT = "pixel", "picture", "product"


@dataclass(frozen=True)
class Labelled:
    """Scores of pictures, or of one area of products, of which is known what they are.

    Attributes:
        scores: (N,) float, the score of each; for a threshold of pixels float32, the highest of its
            pixels.
        defective: (N,) bool.
        maps: gives all pixels with their ground truth anew at every call; None where there are no
            maps or no masks.
        groups: (N,) str, what tells much the same, such as the pictures of one part; None where
            each stands for itself.
    """

    scores: np.ndarray
    defective: np.ndarray
    maps: Maps | None = None
    groups: np.ndarray | None = None

    @property
    def nominal(self) -> np.ndarray:
        """Scores of those without a defect."""
        return self.scores[~self.defective]

    @property
    def nominal_groups(self) -> np.ndarray:
        """Groups of those without a defect; each its own where none are known."""
        groups = np.arange(len(self.scores)) if self.groups is None else self.groups
        return groups[~self.defective]


@dataclass(frozen=True)
class Fitted:
    """A threshold and how it was found.

    Attributes:
        value: from which on a score is anomalous.
        rule: name of the rule.
        how: JSON-able, what the rule reached and from how many pictures.
        line: the same for people.
        caution: what must be known about it; None for nothing.
    """

    value: float
    rule: str
    how: dict[str, Any] = field(default_factory=dict)
    line: str = ""
    caution: str | None = None

    def entry(self) -> dict[str, Any]:
        """Return what a model keeps of it."""
        return {"value": self.value, "rule": self.rule, **self.how}


@dataclass(frozen=True)
class Rule:
    """A way to find a threshold.

    Attributes:
        name: as commands take it.
        summary: what it does, in a line.
        fit: finds a threshold; its second argument is the parameter, None without one. It raises
            `InputError` where the scores allow none.
        of: what it can find a threshold of: some of PIXEL, PICTURE and PRODUCT, which is as
            anomalous as its worst picture. One for pictures serves areas.
        needs_defects: whether it needs defective pictures.
        needs_nominal: whether it needs good pictures.
        needs_masks: whether it needs to know which pixels are defective.
        promises: whether it promises something of pictures that nothing was learned from.
        parameter: name of its number in help texts; None for a rule without.
        default: of that number.
        version: rises with every change after which it finds other thresholds: what was found by an
            earlier one is not used again.
    """

    name: str
    summary: str
    fit: Callable[[Labelled, float | None], Fitted]
    of: tuple[str, ...] = (PICTURE,)
    needs_defects: bool = True
    needs_nominal: bool = False
    needs_masks: bool = False
    promises: bool = False
    parameter: str | None = None
    default: float | None = None
    version: int = 1


def in_the_gap(scores: np.ndarray, flagged: float) -> float:
    """Return the middle between a score that is to be flagged and the next lower one.

    Every threshold in that gap decides alike on these scores; on others, one at its upper end would
    let pass what is hardly less anomalous.

    Args:
        scores: (N,) float.
        flagged: one of them, or a number above all of them, which is returned then.
    """
    below = scores[scores < flagged]
    if not len(below) or flagged > scores.max():
        return flagged
    lower = float(below.max())
    middle = lower + (flagged - lower) / 2
    return middle if middle > lower else flagged


@cache
def all_rules() -> dict[str, Rule]:
    """Return every rule by its name, sorted."""
    modules = plugins.modules("train.verdicts.rules").values()
    found: list[Rule] = [import_module(module).RULE for module in modules]
    return {rule.name: rule for rule in sorted(found, key=lambda rule: rule.name)}


def rule_named(name: str, of: str) -> Rule:
    """Return a rule.

    Args:
        name: of the rule.
        of: what a threshold is wanted of.

    Raises:
        InputError: there is none of that name, or not for this.
    """
    able = {rule.name: rule for rule in all_rules().values() if of in rule.of}
    if name not in able:
        raise InputError(f"rule {name!r} of a {of}: expected one of {', '.join(able)}")
    return able[name]


def fit_areas(
    name: str, areas: Mapping[str, Labelled], parameter: float | None = None
) -> dict[str, Fitted]:
    """Return a threshold for each area of a product, fitted to the scores of that area alone.

    Raises:
        InputError: as `rule`, or an area's scores allow none; the line names the area.
    """
    rule = rule_named(name, PICTURE)
    fitted = {}
    for area, labelled in areas.items():
        try:
            fitted[area] = rule.fit(labelled, parameter)
        except InputError as error:
            raise InputError(f"area {area!r}: {error}") from None
    return fitted
