"""Counts of scores by radix: what sorting every pixel would tell, in bounded memory.

A float32 score is a 32-bit key. The first reading counts pixels by the upper 16 bits of their keys
(`Radix`). Where the order inside such a bin matters, the images are read again, for as many bins
at a time as the memory allows (`Radix.steps`, `train.metrics.resolve`). So every distinct score
gets its exact count, whatever the number of pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from train.metrics.resolve import BINS, COUNTED, Resolved, Steps, collected_bytes
from train.metrics.scores import Maps, Pixels, to_keys

#: Bytes that the bins resolved in one reading take; all in all it is about twice as much.
BUDGET = 1 << 26

#: Steps handed on at a time.
_BLOCK = 1 << 18


class Radix:
    """Number of defective and nominal pixels by the upper half of their keys."""

    def __init__(self) -> None:
        self.positives = np.zeros(BINS, np.int64)
        self.negatives = np.zeros(BINS, np.int64)
        self.weights = np.zeros(BINS)

    def update(self, image: Pixels) -> None:
        """Count the pixels of one image."""
        upper = to_keys(image.scores) >> 16
        every = np.bincount(upper, minlength=BINS)
        defective = upper[image.positive]
        counts = np.bincount(defective, minlength=BINS)
        self.positives += counts
        self.negatives += every - counts
        if image.weights is not None:
            self.weights += np.bincount(defective, image.weights, BINS)

    def add(self, other: Radix) -> None:
        """Add the counts of other images."""
        self.positives += other.positives
        self.negatives += other.negatives
        self.weights += other.weights

    @property
    def mixed(self) -> np.ndarray:
        """(BINS,) bool: bins with both kinds of pixel. In any other bin a ROC curve is straight."""
        return (self.positives > 0) & (self.negatives > 0)

    def steps(self, maps: Maps, refine: np.ndarray, budget: int = BUDGET) -> Iterator[Steps]:
        """Yield all steps from the highest score to the lowest, a block at a time.

        Args:
            maps: the images that were counted; read again as often as the budget makes it.
            refine: (BINS,) bool, the bins to resolve to single scores; others become one step.
            budget: bytes that the bins resolved in one reading take.

        Raises:
            InputError: the images are not those that were counted.
        """
        occupied = np.flatnonzero(self.positives + self.negatives)[::-1]
        collected = collected_bytes(self.positives, self.negatives)
        costs = np.where(refine, np.minimum(collected, COUNTED), 0)[occupied]
        for stretch in _portions(occupied, costs, budget):
            fine = stretch[refine[stretch]]
            found = Resolved(fine, self.positives, self.negatives)
            if len(fine):
                found.read(maps)
            entries = np.where(refine, np.minimum(self.positives + self.negatives, BINS), 1)
            for block in _portions(stretch, entries[stretch], _BLOCK):
                yield self._block(found, block, refine)

    def _block(self, found: Resolved, bins: np.ndarray, refine: np.ndarray) -> Steps:
        coarse = bins[~refine[bins]]
        whole = Steps(
            (coarse << 16).astype(np.uint32),
            self.positives[coarse],
            self.negatives[coarse],
            self.weights[coarse],
        )
        steps = Steps(*map(np.concatenate, zip(whole, *found.steps(bins), strict=True)))
        order = np.argsort(steps.keys)[::-1]
        return Steps(*(values[order] for values in steps))


def _portions(bins: np.ndarray, costs: np.ndarray, limit: int) -> Iterator[np.ndarray]:
    """Cut bins into runs that cost at most `limit`, or a single bin."""
    start, spent = 0, 0
    for end, cost in enumerate(costs.tolist()):
        if end > start and spent + cost > limit:
            yield bins[start:end]
            start, spent = end, 0
        spent += cost
    if len(bins):
        yield bins[start:]
