"""sPRO: overlap with defect regions, where enough of a region is all of it.

Source: Bergmann et al., "Beyond Dents and Scratches", IJCV 130 (2022), section 4.2: of the pixels P
that are flagged, sPRO(P) is the mean over all regions A_i of min(|A_i and P| / s_i, 1), s_i being
the region's saturation. AU-sPRO is the area below it over the false positive rate of nominal
pixels, up to a limit, divided by that limit.

As the threshold falls, the first s_i pixels of a region each add 1 / s_i and the others nothing; of
a saturation that is no whole number the last one adds what is missing. So a region's pixels weigh
by their rank within it, and the curve is that of AU-PRO (`train.metrics.regions`) with these
weights: as exact, and as small in memory. Which of equal scores comes first is no matter, since
they are all of one step. Where every saturation is the area, all weights are those of AU-PRO.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stainless.dataset import Region

#: Limits of the false positive rate, and the one that is quoted, those of LOCO's own evaluation.
LIMITS = (0.01, 0.05, 0.1, 0.3, 1.0)
QUOTED = 0.05


def rank_weights(scores: np.ndarray, saturation: float) -> np.ndarray:
    """Return what each pixel of a region adds to its overlap as the threshold falls.

    Args:
        scores: (N,) of its pixels, at least one.
        saturation: above 0; more than N counts as N.

    Returns:
        (N,) float64, together 1.
    """
    enough = min(saturation, float(len(scores)))
    count = math.ceil(enough)
    weights = np.zeros(len(scores))
    if count == len(scores):
        highest = np.arange(count)
    else:
        highest = np.argpartition(scores, len(scores) - count)[len(scores) - count :]
    weights[highest] = 1 / enough
    if count > enough:
        last = highest[scores[highest].argmin()]
        weights[last] = (enough - (count - 1)) / enough
    return weights


def saturated_weights(
    scores: np.ndarray, regions: Sequence[Region], ignore: np.ndarray | None = None
) -> tuple[np.ndarray, int]:
    """Return (H, W) float64 with what each pixel adds to all regions, and their number.

    Args:
        scores: (H, W) anomaly map.
        regions: of the image; they may overlap.
        ignore: (H, W) bool, pixels that count for nothing; a region that lies wholly in them does
            not count, and no region needs more pixels than it has left.
    """
    weights, count = np.zeros(scores.shape), 0
    for region in regions:
        mask = _counting(region, ignore)
        if mask.any():
            weights[mask] += rank_weights(scores[mask], region.saturation)
            count += 1
    return weights, count


def overlaps(
    flagged: np.ndarray, regions: Sequence[Region], ignore: np.ndarray | None = None
) -> list[float]:
    """Return min(|A_i and P| / s_i, 1) of each region that counts.

    Args:
        flagged: (H, W) bool, P.
        regions: of the image.
        ignore: as for `saturated_weights`.
    """
    found = []
    for region in regions:
        mask = _counting(region, ignore)
        area = int(np.count_nonzero(mask))
        if area:
            hit = int(np.count_nonzero(mask & flagged))
            found.append(min(hit / min(region.saturation, area), 1.0))
    return found


def union(regions: Sequence[Region], shape: tuple[int, ...]) -> np.ndarray:
    """Return where any of the regions of an image of a shape (H, W) is, (H, W) bool."""
    return np.logical_or.reduce([np.zeros(shape, bool), *(region.mask for region in regions)])


def _counting(region: Region, ignore: np.ndarray | None) -> np.ndarray:
    return region.mask if ignore is None else region.mask & ~ignore
