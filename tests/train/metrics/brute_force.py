"""Every metric the slow way, straight from its definition, and small images to try it on."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from train.metrics import region_weights
from train.metrics.scores import Pixels, pixels

#: Few values make ties, any values try the order of all of float32.
scores_of_few = st.sampled_from([-1.5, -0.0, 0.0, 0.25, 0.5, 1.0, 1 + 2.0**-23, 3e4])
scores_of_any = st.floats(-(2.0**99), 2.0**99, width=32, allow_subnormal=False)


@st.composite
def images(draw, scores=None):
    """One to four images of one small size, as [(scores, mask), ...]."""
    shape = draw(st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7))
    values = draw(st.sampled_from([scores_of_few, scores_of_any])) if scores is None else scores
    one = st.tuples(
        st_numpy.arrays(np.float32, shape, elements=values), st_numpy.arrays(bool, shape)
    )
    return draw(st.lists(one, min_size=1, max_size=4))


def maps_of(found):
    """Return the re-iterable that the metrics take, and count how often it is read."""
    every = [
        pixels(f"image {n}", scores, mask, None, region_weights(mask)[0])
        for n, (scores, mask) in enumerate(found)
    ]

    def read() -> list[Pixels]:
        read.times += 1
        return every

    read.times = 0
    return read


def flat(found):
    """Return all scores and all ground truth as float64 and bool vectors."""
    scores = np.concatenate([scores.ravel() for scores, _ in found]).astype(float)
    return scores, np.concatenate([mask.ravel() for _, mask in found])


def f1_max(found):
    """Return the highest F1 and the highest threshold that reaches it."""
    scores, mask = flat(found)
    best = (-1.0, np.nan)
    for threshold in np.unique(scores)[::-1]:
        flagged = scores >= threshold
        f1 = 2 * (flagged & mask).sum() / (flagged.sum() + mask.sum())
        if f1 > best[0]:
            best = (f1, threshold)
    return best


def auroc(scores, positive):
    """Return how often a positive outscores a negative, ties counted half."""
    above, below = scores[positive][:, None], scores[~positive][None]
    return ((above > below) + (above == below) / 2).mean()


def au_pro(found, limit=0.3):
    """Return the area under mean region overlap against false positive rate, up to `limit`."""
    scores, mask = flat(found)
    regions = []
    for each, truth in found:
        count, labels = cv2.connectedComponents(truth.astype(np.uint8), connectivity=8)
        regions += [each[labels == n] for n in range(1, count)]
    curve = [(0.0, 0.0)]
    for threshold in np.unique(scores)[::-1]:
        overlap = np.mean([(region >= threshold).mean() for region in regions])
        curve.append(((scores[~mask] >= threshold).mean(), overlap))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x0 < limit and x1 > x0:
            end = min(x1, limit)
            y = y0 + (y1 - y0) * (end - x0) / (x1 - x0)
            area += (end - x0) * (y0 + y) / 2
    return area / limit
