"""Pixel metrics: confusion counts at a threshold, the highest F1 and its threshold, AUROC.

Exact: what sorting all pixels of all images together would give, ties included, up to the rounding
of float64 sums. Without a defective or without a nominal pixel a metric that needs both is NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from train.metrics.radix import BUDGET, Radix, Steps
from train.metrics.scores import Maps, Pixels, anomalous, from_keys, ratio


@dataclass(frozen=True)
class Confusion:
    """Counts of pixels or images, and the ratios made of them; NaN where nothing is counted.

    Without anything flagged the precision is NaN, without anything to find the recall is NaN; the
    F1 is NaN only when there is neither, since any false find makes it 0.
    """

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
            self.true_negative + other.true_negative,
        )

    @property
    def precision(self) -> float:
        """Share of the flagged that is defective."""
        return ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """Share of the defective that is flagged."""
        return ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        wrong = self.false_positive + self.false_negative
        return ratio(2 * self.true_positive, 2 * self.true_positive + wrong)


def confusion(flagged: np.ndarray, positive: np.ndarray) -> Confusion:
    """Return the counts of two bool arrays of one shape."""
    hits = int(np.count_nonzero(flagged & positive))
    flags, positives = int(np.count_nonzero(flagged)), int(np.count_nonzero(positive))
    return Confusion(hits, flags - hits, positives - hits, flagged.size - flags - positives + hits)


def pixel_confusion(image: Pixels, threshold: float) -> Confusion:
    """Return the confusion counts of one image at a threshold."""
    return confusion(anomalous(image.scores, threshold), image.positive)


class F1Max(NamedTuple):
    """The highest F1 over all thresholds, and the highest threshold that reaches it."""

    f1: float
    threshold: float


def f1_max(maps: Maps, budget: int = BUDGET) -> F1Max:
    """Return the highest pixel F1 and its threshold, reading the images twice as a rule.

    Args:
        maps: gives the images anew at every call.
        budget: bytes that the bins resolved in one reading take (`train.metrics.radix`).

    The first reading bounds the F1 inside every bin; the second resolves only the bins that can
    hold the highest.

    Returns:
        NaN for both without a defective pixel.
    """
    radix = Radix()
    for image in maps():
        radix.update(image)
    curve = F1Curve(radix)
    for steps in radix.steps(maps, curve.needed, budget):
        curve.update(steps)
    return curve.result()


class F1Curve:
    """F1 along the steps of `Radix.steps`; the bins of `needed` must be refined there."""

    def __init__(self, radix: Radix) -> None:
        self._total = int(radix.positives.sum())
        found = radix.positives[::-1].cumsum()[::-1]
        false = radix.negatives[::-1].cumsum()[::-1]
        # Inside a bin the F1 is at most that of its defective pixels all coming first.
        bound = self._f1(found, false - radix.negatives)
        lowest = self._f1(found, false).max()
        #: (BINS,) bool: the bins that can hold the highest F1.
        self.needed = (radix.positives > 0) & (bound >= lowest)
        self._found = self._false = 0
        self._best = F1Max(-1.0, math.nan)

    def _f1(self, found: np.ndarray, false: np.ndarray) -> np.ndarray:
        return 2 * found / np.maximum(found + false + self._total, 1)

    def update(self, steps: Steps) -> None:
        """Take the next steps."""
        found = self._found + steps.positives.cumsum()
        false = self._false + steps.negatives.cumsum()
        scores = self._f1(found, false)
        top = int(scores.argmax())
        if scores[top] > self._best.f1:
            self._best = F1Max(float(scores[top]), float(from_keys(steps.keys)[top]))
        self._found, self._false = int(found[-1]), int(false[-1])

    def result(self) -> F1Max:
        """Return the highest F1 of the steps taken."""
        return self._best if self._total else F1Max(math.nan, math.nan)


class RocCurve:
    """Area under the ROC curve along the steps of `Radix.steps`, ties counted half."""

    def __init__(self, radix: Radix) -> None:
        #: (BINS,) bool: the bins that must be refined there; in any other the curve is straight.
        self.needed = radix.mixed
        self._pairs = float(radix.positives.sum()) * float(radix.negatives.sum())
        self._found = 0
        self._areas: list[float] = []

    def update(self, steps: Steps) -> None:
        """Take the next steps."""
        found = self._found + steps.positives.cumsum()
        middle = found - steps.positives / 2
        self._areas.append(float(np.dot(steps.negatives.astype(float), middle)))
        self._found = int(found[-1])

    def result(self) -> float:
        """Return the area, from 0 to 1; NaN if a kind of pixel is missing."""
        return ratio(math.fsum(self._areas), self._pairs)
