"""Single scores of chosen radix bins, counted in one reading of the images.

The pixels of a sparse bin are collected and sorted; those of a dense one are counted by the lower
16 bits of their keys, whichever takes less memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stainless.errors import InputError
from train.metrics.scores import Maps, Pixels, to_keys

#: Radix bins: the values of the upper, and of the lower, 16 bits of a key.
BINS = 1 << 16

#: Bytes that a bin takes when it is counted: three 64-bit numbers for every lower key half.
COUNTED = 24 * BINS

#: Pixels that wait to be counted together.
_WAITING = 1 << 21

_OTHER, _COLLECTED = -1, -2


class Steps(NamedTuple):
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


def collected_bytes(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """Return how many bytes bins of so many pixels take when they are collected and sorted."""
    return 32 * positives + 4 * negatives


class Resolved:
    """The pixels of some bins by single score; `read` once, then ask for `steps`."""

    def __init__(self, bins: np.ndarray, positives: np.ndarray, negatives: np.ndarray) -> None:
        """Take the bins to resolve and the (BINS,) numbers of pixels in every bin."""
        is_dense = collected_bytes(positives, negatives)[bins] > COUNTED
        self._dense, sparse = np.sort(bins[is_dense]), bins[~is_dense]
        # What to do with the pixels of a bin: count them in this slot, collect or skip them.
        self._slot = np.full(BINS, _OTHER, np.int32)
        self._slot[self._dense] = np.arange(len(self._dense))
        self._slot[sparse] = _COLLECTED

        size = len(self._dense) * BINS
        self._counted = _Bins(np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size))
        self._waiting: list[_Bins] = []
        above, below = int(positives[sparse].sum()), int(negatives[sparse].sum())
        self._collected = _Bins(
            np.empty(above, np.uint32), np.empty(below, np.uint32), np.empty(above)
        )
        self._above = self._below = 0
        self._expected = int(positives[bins].sum()), int(negatives[bins].sum())

    def read(self, maps: Maps) -> None:
        """Read the images once.

        Raises:
            InputError: they are not those that were counted.
        """
        for image in maps():
            keys = to_keys(image.scores)
            slots = self._slot[keys >> 16]
            collect, count = slots == _COLLECTED, slots >= 0
            self._collect(_parted(keys[collect], image, collect))
            codes = slots[count] * BINS + (keys[count] & 0xFFFF).astype(np.int32)
            self._waiting.append(_parted(codes, image, count))
            if (
                sum(len(steps.positives) + len(steps.negatives) for steps in self._waiting)
                > _WAITING
            ):
                self._count()
        self._count()
        found = (
            self._above + int(self._counted.positives.sum()),
            self._below + int(self._counted.negatives.sum()),
        )
        if found != self._expected:
            raise _changed()
        above, below, weights = self._collected
        order = np.argsort(above)
        below.sort()
        self._collected = _Bins(above[order], below, weights[order])

    def _collect(self, found: _Bins) -> None:
        above, below = self._above + len(found.positives), self._below + len(found.negatives)
        if above > len(self._collected.positives) or below > len(self._collected.negatives):
            raise _changed()
        self._collected.positives[self._above : above] = found.positives
        self._collected.weights[self._above : above] = found.weights
        self._collected.negatives[self._below : below] = found.negatives
        self._above, self._below = above, below

    def _count(self) -> None:
        if not len(self._dense) or not self._waiting:
            self._waiting.clear()
            return
        found = _Bins(*map(np.concatenate, zip(*self._waiting, strict=True)))
        self._waiting.clear()
        size = len(self._counted.positives)
        self._counted.positives[:] += np.bincount(found.positives, minlength=size)
        self._counted.negatives[:] += np.bincount(found.negatives, minlength=size)
        self._counted.weights[:] += np.bincount(found.positives, found.weights, size)

    def steps(self, bins: np.ndarray) -> tuple[Steps, Steps]:
        """Return the steps of the counted and of the collected bins.

        Args:
            bins: (N,) consecutive bins of those given, falling; others among them are passed over.
        """
        first, last = int(bins[-1]), int(bins[0])
        return self._counted_steps(first, last), self._collected_steps(first, last)

    def _counted_steps(self, first: int, last: int) -> Steps:
        start, end = BINS * np.searchsorted(self._dense, [first, last + 1])
        positives, negatives, weights = (values[start:end] for values in self._counted)
        codes = np.flatnonzero((positives > 0) | (negatives > 0))
        upper = self._dense[(start + codes) >> 16]
        keys = ((upper << 16) | (codes & 0xFFFF)).astype(np.uint32)
        return Steps(keys, positives[codes], negatives[codes], weights[codes])

    def _collected_steps(self, first: int, last: int) -> Steps:
        bounds = np.array([first << 16, (last << 16) | 0xFFFF], np.uint32)
        above, below, weights = self._collected
        start, end = np.searchsorted(above, bounds[0]), np.searchsorted(above, bounds[1], "right")
        above, weights = above[start:end], weights[start:end]
        start, end = np.searchsorted(below, bounds[0]), np.searchsorted(below, bounds[1], "right")
        below = below[start:end]
        keys = np.union1d(above, below)
        place = np.searchsorted(keys, above)
        return Steps(
            keys,
            np.bincount(place, minlength=len(keys)),
            np.bincount(np.searchsorted(keys, below), minlength=len(keys)),
            np.bincount(place, weights, len(keys)),
        )


class _Bins(NamedTuple):
    """Something of defective and of nominal pixels; the weights are of the former."""

    positives: np.ndarray
    negatives: np.ndarray
    weights: np.ndarray


def _parted(keys: np.ndarray, image: Pixels, chosen: np.ndarray) -> _Bins:
    positive = image.positive[chosen]
    weights = np.zeros(np.count_nonzero(positive))
    if image.weights is not None:
        weights = image.weights[chosen[image.positive]]
    return _Bins(keys[positive], keys[~positive], weights)


def _changed() -> InputError:
    return InputError("the anomaly maps changed between two readings")
