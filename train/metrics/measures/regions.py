"""AU-PRO, the overlap with defect regions."""

from __future__ import annotations

from typing import Any

from train.metrics.metric import ClassFigure, Curve, Figure, Reading, Thresholds, count, lowest
from train.metrics.radix import Radix
from train.metrics.regions import FPR_LIMIT, ProCurve

VERSION = 1
NEEDS_MAP = True

FIGURES = (
    Figure(
        "au_pro",
        "AU-PRO",
        "regions",
        "au_pro",
        80,
        "No single picture has this number; defective pictures, lowest pixel recall first.",
        lowest(
            lambda row: count(row, "pixel_tp"),
            lambda row: count(row, "pixel_tp") + count(row, "pixel_fn"),
        ),
        column="AU-PRO",
    ),
)

CLASS_FIGURES: tuple[ClassFigure, ...] = ()


class Measure:
    """Regions and the curve of their overlap."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._regions = 0

    def update(self, reading: Reading) -> dict[str, Any]:
        """Take one image."""
        self._regions += reading.regions
        return {}

    def curves(self, radix: Radix) -> list[Curve]:
        """Return the curve of the overlap."""
        self._curve = ProCurve(radix)
        return [self._curve]

    def results(self) -> dict[str, dict[str, Any]]:
        """Return "regions"."""
        return {
            "regions": {
                "au_pro": self._curve.result(),
                "fpr_limit": FPR_LIMIT,
                "count": self._regions,
            }
        }
