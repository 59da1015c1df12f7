"""Pixels at the threshold, the best threshold that there is, AUROC, and good pictures hit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from train.metrics.images import false_alarm_rate
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
    lowest,
    shares,
)
from train.metrics.pixels import Confusion, F1Curve, RocCurve, pixel_confusion
from train.metrics.radix import Radix

VERSION = 1
NEEDS_MAP = True


def _hits(row: Row) -> float:
    return count(row, "pixel_tp")


def _flags(row: Row) -> float:
    return count(row, "pixel_tp") + count(row, "pixel_fp")


def _wanted(row: Row) -> float:
    return count(row, "pixel_tp") + count(row, "pixel_fn")


def _twice(row: Row) -> float:
    return 2 * count(row, "pixel_tp")


def _both(row: Row) -> float:
    return 2 * count(row, "pixel_tp") + count(row, "pixel_fp") + count(row, "pixel_fn")


def _most_false(rows: Sequence[Row]) -> list[float | None]:
    return [-count(row, "pixel_fp") or None for row in rows]


def _alarms(rows: Sequence[Row]) -> list[float | None]:
    return [-count(row, "pixel_fp") or None if row["label"] == "good" else None for row in rows]


def _alarm_rate(rows: Sequence[Row]) -> Resampled:
    flagged = np.array([_flags(row) > 0 for row in rows])
    defective = np.array([row["defective"] for row in rows])
    return lambda drawn: false_alarm_rate(flagged[drawn], defective[drawn])


_LOWEST_F1 = "Pictures with anything to find or flagged, lowest pixel F1 first"

FIGURES = (
    Figure(
        "precision",
        "Precision",
        "pixels",
        "precision",
        10,
        "Pictures with false positives, most of them first.",
        _most_false,
        resample=shares(_hits, _flags),
        column="precision",
    ),
    Figure(
        "recall",
        "Recall",
        "pixels",
        "recall",
        20,
        "Defective pictures, lowest pixel recall first.",
        lowest(_hits, _wanted),
        resample=shares(_hits, _wanted),
        column="recall",
    ),
    Figure(
        "f1",
        "F1",
        "pixels",
        "f1",
        30,
        f"{_LOWEST_F1}.",
        lowest(_twice, _both),
        resample=shares(_twice, _both),
        column="F1",
    ),
    Figure(
        "f1_max",
        "F1-max",
        "pixels",
        "f1_max",
        50,
        f"{_LOWEST_F1}; the overlay is at the method's own threshold, not at the one of this "
        "number.",
        lowest(_twice, _both),
        column="F1-max",
    ),
    Figure(
        "pixel_auroc",
        "Pixel AUROC",
        "pixels",
        "auroc",
        70,
        "No single picture has this number; lowest pixel F1 first.",
        lowest(_twice, _both),
        column="AUROC",
    ),
    Figure(
        "pixel_false_alarm_rate",
        "False alarms by pixel",
        "pixels",
        "false_alarm_rate",
        100,
        "Good pictures on which any pixel is flagged, most pixels first.",
        _alarms,
        more_is_better=False,
        resample=_alarm_rate,
        column="false alarms",
    ),
)

CLASS_FIGURES: tuple[ClassFigure, ...] = ()


class Measure:
    """Confusion counts of all pixels, and curves over every threshold."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._threshold = thresholds.pixel
        self._confusion = Confusion()
        self._flagged: list[bool] = []
        self._defective: list[bool] = []

    def update(self, reading: Reading) -> dict[str, Any]:
        """Take one image; its row gets the four counts of its pixels."""
        assert self._threshold is not None
        found = pixel_confusion(reading.pixels, self._threshold)
        self._confusion += found
        self._flagged.append(found.true_positive + found.false_positive > 0)
        self._defective.append(reading.defective)
        return {
            "pixel_tp": found.true_positive,
            "pixel_fp": found.false_positive,
            "pixel_fn": found.false_negative,
            "pixel_tn": found.true_negative,
        }

    def curves(self, radix: Radix) -> list[Curve]:
        """Return the curves of F1 and ROC."""
        self._f1, self._roc = F1Curve(radix), RocCurve(radix)
        return [self._f1, self._roc]

    def results(self) -> dict[str, dict[str, Any]]:
        """Return "pixels"; `false_alarm_rate` is the share of good images with any flagged pixel.

        Pixel AUROC and AU-PRO hide it: a few stray pixels on every good image barely move them.
        """
        best = self._f1.result()
        flagged, defective = np.array(self._flagged, bool), np.array(self._defective, bool)
        return {
            "pixels": {
                **counts(self._confusion),
                "f1_max": best.f1,
                "f1_max_threshold": best.threshold,
                "auroc": self._roc.result(),
                "false_alarm_rate": false_alarm_rate(flagged, defective),
            }
        }
