"""Verdicts on small things make those on larger ones: pixels, picture, product, runs.

Something is anomalous at or above its threshold, as a pixel is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stainless.errors import InputError
from train.metrics.scores import anomalous

ANOMALOUS, NOMINAL = "anomalous", "nominal"


def verdict(rejected: bool) -> str:
    """Return the word for a verdict."""
    return ANOMALOUS if rejected else NOMINAL


def picture_rejected(scores: np.ndarray, threshold: float) -> bool:
    """Return whether a picture has any anomalous pixel (`train.metrics.scores.anomalous`).

    Args:
        scores: (H, W) float32 anomaly map; without a pixel nothing is rejected.
        threshold: of pixels.
    """
    return bool(anomalous(scores, threshold).any())


def worst_of_each(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the highest value of each group, as a product is as bad as its worst picture.

    Args:
        values: (N,) scores of pictures, or bool.
        groups: (N,) the product that each shows.

    Returns:
        (M,) of the same type, a value for each group, these in sorted order.
    """
    return np.array([values[groups == name].max() for name in np.unique(groups)], values.dtype)


def rejecting_areas(scores: Mapping[str, float], thresholds: Mapping[str, float]) -> list[str]:
    """Return the areas of a product whose score reaches the threshold of that area.

    Args:
        scores: score of each area, by its name.
        thresholds: of the areas; one that is not scored does not count.

    Raises:
        InputError: an area has no threshold.
    """
    unknown = sorted(set(scores) - set(thresholds))
    if unknown:
        known = ", ".join(sorted(thresholds)) or "none"
        raise InputError(f"area {unknown[0]!r} has no threshold; there are: {known}")
    return [name for name, score in scores.items() if score >= thresholds[name]]


def product_rejected(scores: Mapping[str, float], thresholds: Mapping[str, float]) -> bool:
    """Return whether a product is rejected: any of its areas is; raises as `rejecting_areas`."""
    return bool(rejecting_areas(scores, thresholds))


def k_of_n(rejected: np.ndarray, k: int) -> np.ndarray:
    """Return which products are rejected in at least k of n runs.

    Source: Ferrari et al., high-speed industrial line: a product passes the line several times, and
    what is rejected only now and then is no defect.

    Args:
        rejected: (n, ...) bool, the verdict of every run on every product.
        k: how many runs must reject.

    Returns:
        (...) bool.

    Raises:
        InputError: k is not between 1 and n.
    """
    runs = len(rejected)
    if not 1 <= k <= runs:
        raise InputError(f"k is {k}, expected 1 to {runs}, the number of runs")
    return np.count_nonzero(rejected, axis=0) >= k
