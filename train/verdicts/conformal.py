"""What good pictures alone can promise: split conformal p-values.

A score that comes from the same process as n calibration scores is among the k largest of all n + 1
with a probability of at most k / (n + 1), whatever the distribution. The p-value of a score is that
share for its own place, so that flagging what has a p-value of at most the level raises a false
alarm with at most that probability: before the calibration scores are drawn, on average over them.

Sources: Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World (2005), section 2.2; Bates,
Candès, Lei, Romano, Sesia, Testing for outliers with conformal p-values (2023), section 2.1; for
groups Dunn, Wasserman, Ramdas, Distribution-free prediction sets for two-layer hierarchical models
(2023), section 3: of each group one member, since the members of a group tell much the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from stainless.errors import InputError

#: The fewest scores that a drift is told from.
FEWEST = 20

#: Chance of telling of a drift that is none.
FALSE_DRIFT = 0.001


def needed(level: float) -> int:
    """Return how many independent calibration scores a level needs; with fewer nothing is flagged.

    Raises:
        InputError: the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise InputError(f"level {level:g}: expected between 0 and 1")
    # A level is meant as it is written: 0.05 needs nineteen.
    return math.ceil(1 / Fraction(repr(float(level)))) - 1


def p_values(calibration: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the p-value of each score, from 1 / (n + 1) to 1.

    Args:
        calibration: (n,) scores of what is good, none of it learned from.
        scores: (m,) any scores; higher is more anomalous.

    Returns:
        (m,) float64: (1 + number of calibration scores at or above it) / (n + 1).
    """
    try:
        from crepes import ConformalClassifier
    except ImportError:  # a machine that only scores with an exported model
        return counted(calibration, scores)

    known = ConformalClassifier()
    # The seed is of tie-breaking, which is not used: equal scores count against the new one.
    known.fit(np.asarray(calibration, np.float64), seed=0)
    asked = np.asarray(scores, np.float64)[:, None]
    found: np.ndarray = known.predict_p(asked, smoothing=False, seed=0)[:, 0]
    return found


def counted(calibration: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the same as `p_values`, by counting: what needs no more than numpy."""
    known = np.sort(np.asarray(calibration, np.float64))
    below = np.searchsorted(known, np.asarray(scores, np.float64), side="left")
    found: np.ndarray = (1 + len(known) - below) / (len(known) + 1)
    return found


def threshold(calibration: np.ndarray, level: float) -> float:
    """Return the smallest number from which on a score has a p-value of at most the level.

    It is the next one above a calibration score, in the precision of these.

    Args:
        calibration: (n,) float scores of what is good, none of it learned from.
        level: the promised probability of a false alarm.

    Raises:
        InputError: the level is out of range, or there are too few scores for it; says how many
            are needed.
    """
    count, least = len(calibration), needed(level)
    if count < least:
        raise InputError(
            f"a guarantee of {level:g} needs {least} good scores that nothing was learned from, a "
            f"group of pictures giving one; there are {count}"
        )
    values = np.unique(calibration)
    above = np.nextafter(values, np.asarray(np.inf, values.dtype))
    able = p_values(calibration, above) <= level
    return float(above[able][0])


def one_of_each(scores: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the score of one member of each group, drawn at random; groups in sorted order."""
    return np.array(
        [rng.choice(scores[groups == name]) for name in np.unique(groups)], scores.dtype
    )


@dataclass(frozen=True)
class Drift:
    """Whether new good pictures still score as those did that a guarantee rests on.

    Attributes:
        count: of the new scores.
        probability: of a difference as large as theirs, were nothing changed.
        shift: how far the p-values have moved from their even spread: their mean less that of the
            calibration scores' own; negative where new pictures score higher.
    """

    count: int
    probability: float
    shift: float

    @property
    def told(self) -> bool:
        """Whether the difference is more than chance."""
        return self.count >= FEWEST and self.probability < FALSE_DRIFT


def drift(calibration: np.ndarray, scores: np.ndarray, limit: float) -> Drift:
    """Compare the scores of new pictures that pass for good with those of calibration.

    Only what lies below the limit is compared on both sides, since what lies above may be
    defective. Were nothing changed, the p-values of good pictures would be evenly spread; the
    calibration scores being a sample too, both samples are compared with one another
    (Kolmogorov-Smirnov).

    Args:
        calibration: (n,) scores of what is good.
        scores: (m,) scores of new pictures, independent of each other: one of each group.
        limit: the threshold of the guarantee.
    """
    from scipy.stats import ks_2samp

    old, new = calibration[calibration < limit], scores[scores < limit]
    if not len(new) or not len(old):
        return Drift(len(new), 1.0, 0.0)
    probability = float(ks_2samp(old, new, method="auto").pvalue)
    shift = float(p_values(old, new).mean() - p_values(old, old).mean())
    return Drift(len(new), probability, shift)


class DriftCheck:
    """Follows the scores of new pictures beside those that a guarantee rests on.

    Args:
        entry: threshold of pictures as a model keeps it: its value and its calibration scores.
    """

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self._calibration = np.array(entry["calibration"], np.float64)
        self._limit = float(entry["value"])
        self._scores: list[float] = []

    def p_value(self, score: float) -> float:
        """Return the p-value of a picture's score, and remember the score."""
        self._scores.append(score)
        return float(p_values(self._calibration, np.array([score]))[0])

    def caution(self) -> str | None:
        """Say in a line that the guarantee may not hold any more; None where nothing tells so.

        A light that lifts nearly all scores above the threshold leaves too few to compare, and
        looks like a delivery of defective parts: that is said, since only who sees them can tell.
        """
        try:
            found = drift(self._calibration, np.array(self._scores), self._limit)
        except ImportError:
            return "whether the guarantee still holds was not looked at, which needs scipy"
        if found.count < FEWEST <= len(self._scores):
            return (
                f"only {found.count} of {len(self._scores)} pictures passed, where {FEWEST} are "
                "needed to tell whether the guarantee still holds: if those that are flagged are "
                "good, fit the threshold again to good pictures of today"
            )
        if not found.told:
            return None
        higher = "higher" if found.shift < 0 else "lower"
        return (
            f"the {found.count} pictures that passed score {higher} than those that the guarantee "
            f"rests on (p = {found.probability:.1g}): it may not hold for them; fit the threshold "
            "again to good pictures of today"
        )
