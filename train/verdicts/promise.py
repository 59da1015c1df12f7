"""Whether a guarantee is kept on real scores: many random splits, beside what theory says.

Of n + m independent good scores n are drawn to promise a level and m are taken for new ones. The
threshold leaves k = floor(level * (n + 1)) - 1 of the n at or above it, so that the number of new
ones that are flagged is beta-binomial with m trials and parameters k + 1 and n - k: its mean share,
(k + 1) / (n + 1), is at most the level. (Where scores are equal, fewer are flagged.)

Source: Vovk, Conditional validity of inductive conformal predictors (2013), section 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from stainless.errors import InputError
from train.verdicts import conformal


@dataclass(frozen=True)
class Kept:
    """What became of a promise.

    Attributes:
        level: what was promised.
        calibration: n, independent scores that a promise rested on.
        new: m, independent scores that it was tried on.
        flagged: (splits,) how many of the new ones each split flagged.
        any_flagged: (splits,) how many of the new groups each split flagged with any picture.
    """

    level: float
    calibration: int
    new: int
    flagged: np.ndarray
    any_flagged: np.ndarray

    @property
    def share(self) -> float:
        """Mean share of the new ones that was flagged."""
        return float(self.flagged.mean()) / self.new

    @property
    def expected(self) -> float:
        """The share that theory expects."""
        return allowed(self.level, self.calibration) / (self.calibration + 1)

    def probabilities(self) -> np.ndarray:
        """Return (m + 1,): in theory, how probable each number of flagged new ones is."""
        from scipy.stats import betabinom

        k = allowed(self.level, self.calibration)
        found: np.ndarray = betabinom.pmf(
            np.arange(self.new + 1), self.new, k, self.calibration + 1 - k
        )
        return found

    def lines(self) -> list[str]:
        """Return all of it as a table."""
        splits, chances = len(self.flagged), self.probabilities()
        error = math.sqrt(_variance(chances) / splits) / self.new
        lines = [
            f"{splits} random splits of {self.calibration + self.new} groups: "
            f"{self.calibration} promise {self.level:.2%}, {self.new} are new",
            f"false alarms on {self.share:.2%} of the new; theory {self.expected:.2%}, from this "
            f"many splits give or take {error:.2%}",
            f"groups with any picture flagged: {self.any_flagged.mean() / self.new:.2%}",
            "flagged   splits   theory",
        ]
        for number in range(int(max(self.flagged.max(), np.flatnonzero(chances > 1e-3).max())) + 1):
            count = int((self.flagged == number).sum())
            lines.append(f"{number:7}  {count:7}  {chances[number] * splits:7.1f}")
        return lines


def allowed(level: float, count: int) -> int:
    """Return the most of count + 1 places at the top that a level lets be flagged."""
    return math.floor(Fraction(repr(float(level))) * (count + 1))


def tried(
    scores: np.ndarray, groups: np.ndarray, level: float, splits: int = 200, seed: int = 0
) -> Kept:
    """Split good scores by groups at random, many times, and see what a guarantee does.

    As many groups promise as leave the most new ones, but at least half of all.

    Args:
        scores: (N,) of good pictures that nothing was learned from.
        groups: (N,) of these.
        level: what is promised.
        splits: how many.
        seed: of the draws.

    Raises:
        InputError: too few groups for the level and one new one; says how many it takes.
    """
    names, number = np.unique(groups, return_inverse=True)
    least = conformal.needed(level)
    count = max(least, len(names) // 2)
    if count >= len(names):
        raise InputError(
            f"a guarantee of {level:g} and a group to try it on need {least + 1} groups of good "
            f"pictures; there are {len(names)}"
        )
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(number == group) for group in range(len(names))]
    flagged, any_flagged = [], []
    for _ in range(splits):
        order = rng.permutation(len(names))
        drawn = scores[[rng.choice(members[group]) for group in order]]
        value = conformal.threshold(drawn[:count], level)
        flagged.append(int((drawn[count:] >= value).sum()))
        new = order[count:]
        any_flagged.append(sum(bool((scores[members[group]] >= value).any()) for group in new))
    return Kept(level, count, len(names) - count, np.array(flagged), np.array(any_flagged))


def _variance(chances: np.ndarray) -> float:
    places = np.arange(len(chances))
    mean = float((chances * places).sum())
    return float((chances * (places - mean) ** 2).sum())
