"""How well probabilities are calibrated: expected calibration error, Brier score, reliability.

Sources: Guo et al., ICML 2017, section 2 (expected calibration error, reliability diagram);
Brier, "Verification of Forecasts Expressed in Terms of Probability", 1950.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

#: Bins of equal width, as many as Guo et al. take.
BINS = 15


@dataclass(frozen=True)
class Bin:
    """The pictures whose probability lies in a bin.

    Attributes:
        low, high: its ends.
        count: of them.
        probability: their mean; None without any.
        share: of them that is defective; None without any.
    """

    low: float
    high: float
    count: int
    probability: float | None
    share: float | None


@dataclass(frozen=True)
class Quality:
    """How well probabilities are calibrated; both numbers are 0 at best.

    Attributes:
        ece: expected calibration error: the distance of share and mean probability of a bin,
            averaged over the pictures.
        brier: mean squared distance of probability and label.
        bins: the reliability diagram.
    """

    ece: float
    brier: float
    bins: list[Bin]

    def record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


def quality(probabilities: np.ndarray, defective: np.ndarray, bins: int = BINS) -> Quality:
    """Return how well probabilities are calibrated.

    Args:
        probabilities: (N,) from 0 to 1, N at least 1.
        defective: (N,) bool.
        bins: of equal width.
    """
    values, labels = np.asarray(probabilities, float), np.asarray(defective, bool)
    place = np.minimum((values * bins).astype(int), bins - 1)
    found = []
    for number in range(bins):
        inside = place == number
        count = int(np.count_nonzero(inside))
        mean = float(values[inside].mean()) if count else None
        share = float(labels[inside].mean()) if count else None
        found.append(Bin(number / bins, (number + 1) / bins, count, mean, share))
    off = sum(
        each.count * abs(each.share - each.probability)
        for each in found
        if each.share is not None and each.probability is not None
    )
    return Quality(off / len(values), float(np.mean((values - labels) ** 2)), found)
