"""AU-PRO: area under the per-region overlap curve, up to a false positive rate.

Source: Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 129 (2021): at every threshold
the share of each connected defect region (8-connected) that is found, averaged over the regions of
all images, against the false positive rate of the nominal pixels; integrated up to 0.3 and divided
by 0.3.

Averaging over regions is a sum over defective pixels, each weighing one over the size of its
region. So the curve is a ROC curve with weights, and is as exact and as small in memory: linear
between distinct scores, cut at the limit by interpolation.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from train.metrics.radix import Radix, Steps
from train.metrics.scores import ratio

FPR_LIMIT = 0.3


def region_weights(mask: np.ndarray, ignore: np.ndarray | None = None) -> tuple[np.ndarray, int]:
    """Return (H, W) float64 with one over the size of each pixel's region, and the region count.

    Args:
        mask: (H, W) bool, what is defective.
        ignore: (H, W) bool, pixels that count for nothing, thus not for a region's size either; a
            region that lies wholly in them does not count.
    """
    if not mask.any():
        return np.zeros(mask.shape), 0
    _, regions = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    if ignore is not None:
        regions[ignore] = 0
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    weights = np.divide(1.0, sizes, out=np.zeros(len(sizes)), where=sizes > 0)
    return weights[regions], int(np.count_nonzero(sizes))


class ProCurve:
    """Area along the steps of `Radix.steps`; the bins of `needed` must be refined there."""

    def __init__(self, radix: Radix, limit: float = FPR_LIMIT) -> None:
        self._negatives = int(radix.negatives.sum())
        # A region's weights add up to 1, so that all weights add up to the number of regions.
        self._regions = float(radix.weights.sum())
        self._limit = limit * self._negatives
        above = radix.negatives[::-1].cumsum()[::-1] - radix.negatives
        #: (BINS,) bool: the bins in which the curve bends before the limit.
        self.needed = radix.mixed & (above < self._limit)
        self._false, self._overlap = 0, 0.0
        self._areas: list[float] = []

    def update(self, steps: Steps) -> None:
        """Take the next steps."""
        false = self._false + np.concatenate([[0], steps.negatives.cumsum()])
        overlap = self._overlap + np.concatenate([[0.0], steps.weights.cumsum()])
        width = np.clip(self._limit - false[:-1], 0, steps.negatives)
        share = np.divide(width, steps.negatives, out=np.zeros(len(width)), where=width > 0)
        self._areas.append(float(np.dot(width, overlap[:-1] + share * steps.weights / 2)))
        self._false, self._overlap = int(false[-1]), float(overlap[-1])

    def result(self) -> float:
        """Return the area divided by the limit; NaN without a region or a nominal pixel."""
        return ratio(math.fsum(self._areas), self._limit * self._regions)
