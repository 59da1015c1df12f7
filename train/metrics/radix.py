"""Counts of scores by radix: what sorting every pixel would tell, in bounded memory.

A float32 score is a 32-bit key. The first reading counts pixels by the upper 16 bits of their keys
(`Radix`). Where the order inside such a bin matters, the images are read again (`Radix.steps`),
for as many bins at a time as the memory allows: the pixels of a sparse bin are collected and
sorted, those of a dense one counted by the lower 16 bits. So every distinct score gets its exact
count, whatever the number of pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from train.metrics.scores import Maps, Pixels, to_keys

BINS = 1 << 16

#: From this many pixels on, counting a bin takes less memory than collecting it.
DENSE = 3 * BINS

#: Pixels collected in one reading, a dense bin counting as DENSE: bounds the memory.
BUDGET = 1 << 24

#: Pixels of dense bins that wait to be counted together.
_WAITING = 1 << 22

_OTHER, _SPARSE = -1, -2


@dataclass(frozen=True)
class Steps:
    """Consecutive steps of a falling threshold.

    Attributes:
        keys: (S,) uint32, falling; in a bin that was not refined its lower bound, else a score.
        positives: (S,) int64, defective pixels that the step adds.
        negatives: (S,) int64, nominal pixels that the step adds.
        weights: (S,) float64, weight of those defective pixels.
    """

    keys: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray
    weights: np.ndarray


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
        if image.weights is not None and len(defective):
            self.weights += np.bincount(defective, image.weights, BINS)

    @property
    def mixed(self) -> np.ndarray:
        """(BINS,) bool: bins with both kinds of pixel. In any other bin a ROC curve is straight."""
        return (self.positives > 0) & (self.negatives > 0)

    def steps(self, maps: Maps, refine: np.ndarray, budget: int = BUDGET) -> Iterator[Steps]:
        """Yield all steps from the highest score to the lowest, a stretch at a time.

        Args:
            maps: the images that were counted; read once for every stretch.
            refine: (BINS,) bool, the bins to resolve to single scores; others become one step.
            budget: pixels to collect in one reading.
        """
        counts = self.positives + self.negatives
        occupied = np.flatnonzero(counts)[::-1]
        costs = np.where(refine[occupied], np.minimum(counts[occupied], DENSE), 0)
        start, spent = 0, 0
        for end, cost in enumerate(costs.tolist()):
            if spent and spent + cost > budget:
                yield self._stretch(maps, occupied[start:end], refine)
                start, spent = end, 0
            spent += cost
        if len(occupied):
            yield self._stretch(maps, occupied[start:], refine)

    def _stretch(self, maps: Maps, bins: np.ndarray, refine: np.ndarray) -> Steps:
        fine, coarse = bins[refine[bins]], bins[~refine[bins]]
        is_dense = (self.positives + self.negatives)[fine] >= DENSE
        found = _Resolved(fine[is_dense], fine[~is_dense])
        for image in maps() if len(fine) else ():
            found.update(image)
        parts = [
            Steps(
                (coarse << 16).astype(np.uint32),
                self.positives[coarse],
                self.negatives[coarse],
                self.weights[coarse],
            ),
            found.dense_steps(),
            found.sparse_steps(),
        ]
        order = np.argsort(np.concatenate([part.keys for part in parts]))[::-1]
        return Steps(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])[order]
                for field in fields(Steps)
            )
        )


class _Resolved:
    """Counts of single scores in some bins; one `update` an image."""

    def __init__(self, dense: np.ndarray, sparse: np.ndarray) -> None:
        self._dense = dense
        # What to do with a bin: its slot among the dense ones, _SPARSE or _OTHER.
        self._slot = np.full(BINS, _OTHER, np.int32)
        self._slot[dense] = np.arange(len(dense))
        self._slot[sparse] = _SPARSE
        size = len(dense) * BINS
        self._positives, self._negatives = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._weights = np.zeros(size)
        self._waiting: list[_Batch] = []
        self._collected: list[_Batch] = []

    def update(self, image: Pixels) -> None:
        """Take the pixels of one image."""
        keys = to_keys(image.scores)
        slots = self._slot[keys >> 16]
        sparse, dense = slots == _SPARSE, slots >= 0
        self._collected.append(_batch(keys[sparse], image, sparse))
        codes = slots[dense] * BINS + (keys[dense] & 0xFFFF).astype(np.int32)
        self._waiting.append(_batch(codes, image, dense))
        if sum(map(len, (batch.negatives for batch in self._waiting))) > _WAITING:
            self._count()

    def _count(self) -> None:
        batch = _joined(self._waiting)
        size = len(self._positives)
        self._negatives += np.bincount(batch.negatives, minlength=size)
        self._positives += np.bincount(batch.positives, minlength=size)
        self._weights += np.bincount(batch.positives, batch.weights, size)
        self._waiting.clear()

    def dense_steps(self) -> Steps:
        """Return the scores that occur in the dense bins."""
        if self._waiting and len(self._dense):
            self._count()
        codes = np.flatnonzero((self._positives > 0) | (self._negatives > 0))
        keys = (self._dense[codes >> 16] << 16) | (codes & 0xFFFF)
        return Steps(
            keys.astype(np.uint32),
            self._positives[codes],
            self._negatives[codes],
            self._weights[codes],
        )

    def sparse_steps(self) -> Steps:
        """Return the scores that occur in the sparse bins."""
        batch = _joined(self._collected)
        self._collected.clear()
        above, positives = np.unique(batch.positives, return_counts=True)
        below, negatives = np.unique(batch.negatives, return_counts=True)
        keys = np.union1d(above, below)
        steps = Steps(
            keys, np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64), np.zeros(len(keys))
        )
        steps.positives[np.searchsorted(keys, above)] = positives
        steps.negatives[np.searchsorted(keys, below)] = negatives
        place = np.searchsorted(keys, batch.positives)
        steps.weights[:] = np.bincount(place, batch.weights, len(keys))
        return steps


class _Batch(NamedTuple):
    """Keys of defective and of nominal pixels; the weights are of the former."""

    positives: np.ndarray
    negatives: np.ndarray
    weights: np.ndarray


def _batch(keys: np.ndarray, image: Pixels, chosen: np.ndarray) -> _Batch:
    positive = image.positive[chosen]
    weights = np.zeros(np.count_nonzero(positive))
    if image.weights is not None:
        weights = image.weights[chosen[image.positive]]
    return _Batch(keys[positive], keys[~positive], weights)


def _joined(batches: list[_Batch]) -> _Batch:
    if not batches:
        return _Batch(np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0))
    return _Batch(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))
