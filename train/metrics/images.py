"""Image metrics: scores and verdicts of whole images against what the images are."""

from __future__ import annotations

import numpy as np

from train.metrics.scores import ratio


def image_auroc(scores: np.ndarray, defective: np.ndarray) -> float:
    """Return the area under the ROC curve of images, ties counted half.

    Args:
        scores: (N,) score of each image.
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
    """Return the share of good images that are flagged: each would be thrown away.

    Args:
        flagged: (N,) bool, whether the image counts as anomalous.
        defective: (N,) bool, whether the image has a defect.

    Returns:
        From 0 to 1; NaN without a good image.
    """
    good = ~np.asarray(defective, bool)
    return ratio(int(np.count_nonzero(flagged & good)), int(good.sum()))


def misranked(scores: np.ndarray, defective: np.ndarray) -> np.ndarray:
    """Return, for each image, the share of the other kind's images on the wrong side of it.

    Args:
        scores: (N,) score of each image.
        defective: (N,) bool, whether the image has a defect.

    Returns:
        (N,) from 0 to 1, ties counted half; 0 without an image of the other kind.
    """
    scores, defective = np.asarray(scores, float), np.asarray(defective, bool)
    wrong = np.zeros(len(scores))
    for kind in (False, True):
        others = np.sort(scores[defective != kind])
        if len(others):
            own = scores[defective == kind]
            below = np.searchsorted(others, own, "left") / len(others)
            upto = np.searchsorted(others, own, "right") / len(others)
            wrong[defective == kind] = 1 - (below + upto) / 2 if kind else (below + upto) / 2
    return wrong
