"""Whole images: their verdicts, false alarms, and how well their scores rank them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from train.metrics.images import false_alarm_rate, image_auroc, misranked
from train.metrics.metric import (
    ClassFigure,
    Curve,
    Figure,
    Reading,
    Resampled,
    Row,
    Thresholds,
    count,
    counts,
)
from train.metrics.pixels import confusion
from train.metrics.radix import Radix

VERSION = 1
NEEDS_MAP = False


def _defective(rows: Sequence[Row]) -> np.ndarray:
    return np.array([row["defective"] for row in rows], bool)


def _auroc(rows: Sequence[Row]) -> Resampled:
    scores, defective = np.array([row["score"] for row in rows], float), _defective(rows)
    return lambda drawn: image_auroc(scores[drawn], defective[drawn])


def _alarm_rate(rows: Sequence[Row]) -> Resampled:
    flagged, defective = np.array([row["flagged"] for row in rows], bool), _defective(rows)
    return lambda drawn: false_alarm_rate(flagged[drawn], defective[drawn])


def _wrongly_ranked(rows: Sequence[Row]) -> list[float | None]:
    known = [row for row in rows if row.get("score") is not None]
    scores = np.array([row["score"] for row in known], float)
    wrong = misranked(scores, np.array([row["label"] != "good" for row in known], bool))
    by_name = {row["name"]: -float(share) or None for row, share in zip(known, wrong, strict=True)}
    return [by_name.get(row["name"]) for row in rows]


def _alarms(rows: Sequence[Row]) -> list[float | None]:
    return [
        -count(row, "score") if row["label"] == "good" and row.get("flagged") else None
        for row in rows
    ]


FIGURES = (
    Figure(
        "image_auroc",
        "Image AUROC",
        "images",
        "auroc",
        60,
        "Pictures that are ranked wrongly: for a good one the share of defective ones with a lower "
        "score, and the other way round, largest share first.",
        _wrongly_ranked,
        resample=_auroc,
        column="AUROC",
    ),
    Figure(
        "false_alarm_rate",
        "False alarms",
        "images",
        "false_alarm_rate",
        90,
        "Good pictures that count as anomalous, highest score first.",
        _alarms,
        more_is_better=False,
        resample=_alarm_rate,
        column="false alarms",
    ),
)

CLASS_FIGURES: tuple[ClassFigure, ...] = ()


class Measure:
    """Scores and verdicts of whole images."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._scores: list[float] = []
        self._flagged: list[bool] = []
        self._defective: list[bool] = []

    def update(self, reading: Reading) -> dict[str, Any]:
        """Take one image; score and verdict are in every row anyway."""
        self._scores.append(reading.score)
        self._flagged.append(reading.flagged)
        self._defective.append(reading.defective)
        return {}

    def curves(self, radix: Radix) -> list[Curve]:
        """Return none."""
        return []

    def results(self) -> dict[str, dict[str, Any]]:
        """Return "images"; `false_alarm_rate` is the share of good images that are flagged."""
        defective, flagged = np.array(self._defective, bool), np.array(self._flagged, bool)
        return {
            "images": {
                "count": len(defective),
                "good": int((~defective).sum()),
                **counts(confusion(flagged, defective)),
                "auroc": image_auroc(np.array(self._scores), defective),
                "false_alarm_rate": false_alarm_rate(flagged, defective),
            }
        }
