"""Image metrics: an image scores as its most anomalous pixel."""

from __future__ import annotations

import numpy as np

from train.metrics.scores import ratio


def image_auroc(scores: np.ndarray, defective: np.ndarray) -> float:
    """Return the area under the ROC curve of images, ties counted half.

    Args:
        scores: (N,) highest pixel score of each image.
        defective: (N,) bool, whether the image has a defect.

    Returns:
        From 0 to 1; NaN without a defective or without a good image.
    """
    scores, defective = np.asarray(scores, float), np.asarray(defective, bool)
    if not len(scores):
        return float("nan")
    _, position, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = counts.cumsum() - (counts - 1) / 2
    positives = int(defective.sum())
    wins = ranks[position][defective].sum() - positives * (positives + 1) / 2
    return ratio(float(wins), positives * (len(scores) - positives))


def false_alarm_rate(flagged: np.ndarray, defective: np.ndarray) -> float:
    """Return the share of good images with any pixel at or above the threshold.

    Pixel AUROC and AU-PRO hide it: a few stray pixels on every good image barely move them, yet
    every such part would be thrown away.

    Args:
        flagged: (N,) bool, whether any pixel of the image is anomalous.
        defective: (N,) bool, whether the image has a defect.

    Returns:
        From 0 to 1; NaN without a good image.
    """
    good = ~np.asarray(defective, bool)
    return ratio(int(np.count_nonzero(flagged & good)), int(good.sum()))
