"""How high good pictures score: the smallest metric there can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from train.metrics.metric import ClassFigure, Curve, Figure, Reading, Resampled, Row, Thresholds
from train.metrics.radix import Radix

VERSION = 1
NEEDS_MAP = False


def _highest_first(rows: Sequence[Row]) -> list[float | None]:
    return [-row["score"] if row["label"] == "good" else None for row in rows]


def _mean(rows: Sequence[Row]) -> Resampled:
    scores = np.array([row["score"] for row in rows], float)
    good = np.array([row["label"] == "good" for row in rows])
    return lambda drawn: float(scores[drawn][good[drawn]].mean())


FIGURES = (
    Figure(
        "quiet_score",
        "Score of good pictures",
        "quiet",
        "mean",
        900,
        "Good pictures, highest score first.",
        _highest_first,
        more_is_better=False,
        resample=_mean,
    ),
)

CLASS_FIGURES: tuple[ClassFigure, ...] = ()


class Measure:
    """The mean score of good pictures."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._scores: list[float] = []

    def update(self, reading: Reading) -> dict[str, Any]:
        """Take one image."""
        if not reading.defective:
            self._scores.append(reading.score)
        return {}

    def curves(self, radix: Radix) -> list[Curve]:
        """Return none."""
        return []

    def results(self) -> dict[str, dict[str, Any]]:
        """Return "quiet"."""
        return {"quiet": {"mean": float(np.mean(self._scores)) if self._scores else float("nan")}}
