"""What one epoch remembers for the next, so that most patches need not be compared again.

The smallest distance between members never decreases. So a patch that was rejected because of a
member near enough, its witness, will be rejected again as long as that member stays.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

#: What the bookkeeping of one batch takes, in patches.
BATCH_COST = 64


@dataclass(frozen=True)
class Remembered:
    """What is known of each patch of one batch; the arrays are written in place.

    Attributes:
        fingerprint: checksum of the features.
        witness: (N,) int32, serial number of a member near enough to reject the patch, or -1.
        reach: (N,) float32, upper bound of the squared distance to that member.
    """

    fingerprint: int
    witness: np.ndarray
    reach: np.ndarray


class Recall:
    """Memory of at most `limit` patches, 8 bytes each, in the order of the stream.

    A batch is recognised by its place in the epoch and a checksum of its values. From the first
    batch that differs from the epoch before (random augmentation, say) nothing is remembered.

    Args:
        limit: number of patches; those beyond it are compared anew in every epoch.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._batches: list[Remembered] = []
        self._held = 0
        self._place = 0

    def start_epoch(self) -> None:
        """Return to the beginning of the stream."""
        self._place = 0

    def batch(self, features: np.ndarray) -> Remembered:
        """Return what is known of the next batch of the stream.

        Args:
            features: (N, D) float32.
        """
        place = self._place
        self._place += 1
        cost = len(features) + BATCH_COST
        full = self._held + cost > self.limit
        if place > len(self._batches) or (place == len(self._batches) and full):
            return unknown(len(features))
        fingerprint = zlib.crc32(np.ascontiguousarray(features).data)
        if place < len(self._batches):
            known = self._batches[place]
            if known.fingerprint == fingerprint and len(known.witness) == len(features):
                return known
            for forgotten in self._batches[place:]:
                self._held -= len(forgotten.witness) + BATCH_COST
            del self._batches[place:]
            if self._held + cost > self.limit:
                return unknown(len(features))
        self._batches.append(unknown(len(features), fingerprint))
        self._held += cost
        return self._batches[place]


def unknown(count: int, fingerprint: int = 0) -> Remembered:
    """Return the record of a batch of which nothing is known."""
    return Remembered(fingerprint, np.full(count, -1, np.int32), np.zeros(count, np.float32))
