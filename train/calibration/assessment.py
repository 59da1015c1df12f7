"""A model's calibration on pictures that it was not fitted to: for JSON, and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from train.calibration.fitting import Calibration
from train.calibration.quality import quality
from train.metrics.text_table import grid


def assess(calibration: Calibration, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how well probabilities are calibrated, JSON-able.

    Args:
        calibration: of the model.
        rows: "per_image" of an evaluation, with "score" and "defective".

    Returns:
        "chosen", the curve that speaks; "images" and "split", of what it was fitted to; and by
        curve "curves": ece, brier and bins, see `train.calibration.quality`.
    """
    scores = np.array([row["score"] for row in rows], float)
    defective = np.array([row["defective"] for row in rows], bool)
    return {
        "chosen": calibration.chosen,
        **{key: calibration.entry[key] for key in ("images", "split") if key in calibration.entry},
        "curves": {
            name: quality(curve.probability(scores), defective).record()
            for name, curve in calibration.curves.items()
        },
    }


def table(assessed: Mapping[str, Any]) -> list[str]:
    """Return lines with the figures of every curve, the one that speaks first."""
    names = sorted(assessed["curves"], key=lambda name: name != assessed["chosen"])
    rows = {name: [assessed["curves"][name][key] for key in ("ece", "brier")] for name in names}
    fitted = (
        f", fitted to {assessed['images']} {assessed['split']} images"
        if "images" in assessed
        else ""
    )
    return [
        f"calibration by the curve {assessed['chosen']}{fitted}; the other curves for comparison:",
        *grid(["expected calibration error", "Brier score"], rows),
    ]
