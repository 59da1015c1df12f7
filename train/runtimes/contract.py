"""The contract between PyTorch and other runtimes: how far scores may lie apart, and no verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from stainless.errors import InputError
from train.detectors.detector import Score
from train.verdicts.decision import Decision

#: A score may differ by ABSOLUTE + RELATIVE times itself: what ONNX Runtime's own tests allow.
ABSOLUTE, RELATIVE = 1e-5, 1e-4


def allowed(value: Any) -> Any:
    """Return by how much a score, or each of an array, may differ."""
    return ABSOLUTE + RELATIVE * abs(value)


@dataclass
class Comparison:
    """Scores of a runtime beside those of PyTorch.

    Attributes:
        decision: gives the verdicts; None where there is no threshold.
        pictures: compared so far.
        deviation: largest difference of two scores.
        share: largest share that a difference has of what is allowed; at most 1 keeps the contract.
        map_share: likewise of pixels; None without maps.
        flipped: pictures whose verdict is another; None without a threshold.
        nearest: how close a score came to the threshold of pictures, or a map's peak to that of
            pixels, as a share of the threshold; None without a threshold.
    """

    decision: Decision | None = None
    pictures: int = 0
    deviation: float = 0.0
    share: float = 0.0
    map_share: float | None = None
    flipped: int | None = None
    nearest: float | None = None

    def add(self, expected: Score, found: Score) -> None:
        """Compare the scores of a picture."""
        self.pictures += 1
        difference = abs(found.value - expected.value)
        # What is not a number agrees with nothing.
        difference = math.inf if math.isnan(difference) else difference
        self.deviation = max(self.deviation, difference)
        self.share = max(self.share, difference / allowed(expected.value))
        if expected.map is not None and found.map is not None:
            self.map_share = max(self.map_share or 0.0, _map_share(expected.map, found.map))
        if self.decision is not None:
            self._add_verdicts(self.decision, expected, found)

    def add_peak(self, expected: Score, found: Score) -> None:
        """Compare the scores of a picture of whose map only the highest pixel was kept."""
        peaked = found.map
        if peaked is not None:
            peaked = np.full((1, 1), peaked.max(), np.float32)
        self.add(expected, Score(found.value, peaked))

    def _add_verdicts(self, decision: Decision, expected: Score, found: Score) -> None:
        try:
            verdicts = {
                decision.of(score.value, score.map)["verdict"] for score in (expected, found)
            }
        except InputError:  # pixels have a threshold, and there is no map
            return
        self.flipped = (self.flipped or 0) + (len(verdicts) > 1)
        limit, value = decision.picture, expected.value
        if limit is None:
            assert expected.map is not None
            limit, value = decision.pixel, float(expected.map.max())
        if limit:
            apart = abs(value - limit) / abs(limit)
            self.nearest = apart if self.nearest is None else min(self.nearest, apart)

    @property
    def held(self) -> bool:
        """Whether the contract is kept."""
        return self.share <= 1 and not self.flipped

    def record(self) -> dict[str, Any]:
        """Return what a report keeps of it."""
        return {
            "pictures": self.pictures,
            "deviation": _finite(self.deviation),
            "share_of_allowed": _finite(self.share),
            "map_share_of_allowed": _finite(self.map_share),
            "flipped_verdicts": self.flipped,
            "held": self.held,
        }

    def line(self) -> str:
        """Return the same for people."""
        words = [
            f"{self.pictures} pictures",
            f"largest deviation {self.deviation:.3g} ({self.share:.1%} of what is allowed)",
        ]
        if self.map_share is not None:
            words.append(f"of a pixel {self.map_share:.1%} of it")
        if self.flipped is not None:
            words.append(f"{self.flipped} flipped verdicts")
        if self.nearest is not None:
            words.append(f"nearest to a threshold {self.nearest:.2g} of it")
        return ", ".join(words) + (": held" if self.held else ": BROKEN")


def _map_share(expected: np.ndarray, found: np.ndarray) -> float:
    if expected.shape != found.shape:
        return math.inf
    share = float((abs(found - expected) / allowed(expected)).max())
    return math.inf if math.isnan(share) else share


def _finite(value: float | None) -> float | None:
    """Return a number that JSON has, the largest for an infinite one."""
    return None if value is None else min(value, float(np.finfo(np.float64).max))
