"""What a threshold with a promise finds, by method and by kind of defect, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from train.metrics.bootstrap import paired_bootstrap
from train.metrics.images import false_alarm_rate, image_auroc
from train.metrics.metric import Resampled, Row

#: A figure and the ends of its interval; None where undefined.
Figure = dict[str, float | None]


def found(flagged: np.ndarray, defective: np.ndarray) -> float:
    """Return the share of the defective pictures that are flagged; NaN without any."""
    return float(flagged[defective].mean()) if defective.any() else float("nan")


def resampled(rows: Sequence[Row]) -> dict[str, Resampled]:
    """Return the figures of pictures that a bootstrap can draw.

    Args:
        rows: "per_image" of an evaluation: score, flagged and defective of each picture.
    """
    scores = np.array([row["score"] for row in rows], float)
    flagged = np.array([row["flagged"] for row in rows], bool)
    defective = np.array([row["defective"] for row in rows], bool)
    return {
        "image_auroc": lambda drawn: image_auroc(scores[drawn], defective[drawn]),
        "false_alarms": lambda drawn: false_alarm_rate(flagged[drawn], defective[drawn]),
        "found": lambda drawn: found(flagged[drawn], defective[drawn]),
    }


def with_interval(
    figure: Resampled, groups: Sequence[str], seed: int, rounds: int, less: Resampled | None = None
) -> Figure:
    """Return a figure, or what it has more than another, with its middle 95 %.

    Args:
        figure: of the pictures.
        groups: group of each.
        seed: of the draws.
        rounds: number of draws.
        less: the same figure of another method, drawn alike; None for nothing.
    """
    first: Resampled = less if less is not None else lambda _: 0.0
    interval = paired_bootstrap(first, figure, groups, seed, rounds)
    value, low, high = (None if np.isnan(number) else float(number) for number in interval)
    return {"value": value, "low": low, "high": high}


def by_kind(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Return of each kind of defect its count, AUROC against the good pictures, and share found."""
    scores = np.array([row["score"] for row in rows], float)
    flagged = np.array([row["flagged"] for row in rows], bool)
    defective = np.array([row["defective"] for row in rows], bool)
    labels = np.array([row["label"] for row in rows])
    kinds = {}
    for kind in sorted(set(labels[defective].tolist())):
        of_kind = defective & (labels == kind)
        compared = of_kind | ~defective
        auroc = image_auroc(scores[compared], defective[compared])
        kinds[kind] = {
            "count": int(of_kind.sum()),
            "image_auroc": None if np.isnan(auroc) else float(auroc),
            "found": found(flagged, of_kind),
        }
    return kinds


def figures(rows: Sequence[Row], seed: int, rounds: int) -> dict[str, Figure]:
    """Return AUROC, false alarms and found of pictures with their intervals over groups."""
    groups = [row["group"] or row["name"] for row in rows]
    return {
        key: with_interval(figure, groups, seed, rounds) for key, figure in resampled(rows).items()
    }


def gains(rows: Sequence[Row], base: Sequence[Row], seed: int, rounds: int) -> dict[str, Figure]:
    """Return what these figures have more than those of another method on the same pictures."""
    order = {row["name"]: row for row in base}
    others = resampled([order[row["name"]] for row in rows])
    groups = [row["group"] or row["name"] for row in rows]
    return {
        key: with_interval(figure, groups, seed, rounds, others[key])
        for key, figure in resampled(rows).items()
    }
