"""The paper's replacement rule, patch by patch in its decisions, many at a time in its work.

A patch farther from every member than the two closest members are from each other replaces the
newer of these two. A float32 product rejects most patches at once, each on the word of one member
near enough, its witness; the others are decided one by one from float64 distances. When a member
leaves, the patches behind in the stream for which it was the witness are decided one by one too.
What each decision rested on is counted by the classes of patches and members (`decisions.py`).
"""

from __future__ import annotations

from bisect import bisect_right
from heapq import heappop, heappush

import numpy as np
import torch
from torch import Tensor

from train.detectors.sequential_patchcore.closest_pair import ClosestPair
from train.detectors.sequential_patchcore.decisions import Decisions
from train.detectors.sequential_patchcore.distances import squared_distances
from train.detectors.sequential_patchcore.screen import CHUNK, Screen

#: Patches screened together while many of them become members.
FEWEST = 64

#: In the place of the slot of a member that turned a patch away: none did, the patch entered.
ENTERS = -1


class Replacement:
    """A full set of M >= 2 members and the rule that changes it.

    Args:
        points: (M, D) float32, the members; shared and changed in place.
        order: (M,) int64, serial numbers, larger is newer; shared and changed in place.
        device: where the float32 products are computed.
        classes: (M,) number of each member's class; shared and changed in place.
        decisions: what is counted.

    Attributes:
        farthest: largest squared distance of a rejected patch to a member near it, since it was
            last set to zero; an upper bound of the covering radius, tight to float32 rounding.
    """

    def __init__(
        self,
        points: np.ndarray,
        order: np.ndarray,
        device: torch.device,
        classes: np.ndarray,
        decisions: Decisions,
    ) -> None:
        self.points = points
        self.order = order
        self.classes = classes
        self.decisions = decisions
        self.farthest = 0.0
        self._together = CHUNK
        centre = points.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._centre = centre.astype(np.float64)
        self._centred = points - self._centre
        self.pair = ClosestPair(points, self._centred, order)
        self._screen = Screen(len(points), centre, device)
        self._unwritten = list(range(len(points)))
        self._serial = int(order.max()) + 1

    @property
    def screen(self) -> Screen:
        """The members as they are now, ready for products."""
        if self._unwritten:
            slots = sorted(set(self._unwritten))
            self._screen.write(slots, self._centred[slots])
            self._unwritten.clear()
        return self._screen

    def offer(
        self, patches: Tensor, host: np.ndarray, classes: np.ndarray
    ) -> list[tuple[int, int]]:
        """Show patches to the rule, in order.

        Args:
            patches: (N, D) float32 on the device.
            host: the same in the memory of the processor.
            classes: (N,) number of each patch's class.

        Returns:
            (position, slot) of each patch that became a member.
        """
        entries: list[tuple[int, int]] = []
        start = 0
        while start < len(host):
            chunk = slice(start, start + self._together)
            witness = self._rejected_together(patches[chunk], host[chunk])
            doubtful = np.flatnonzero(witness < 0)
            self._adapt(len(witness), len(doubtful))
            # Whose word it was is a matter of now: a witness may leave behind the patch.
            words = self.classes[witness]
            if len(doubtful):
                changes = self._decided_singly(
                    host[chunk], witness, doubtful, classes[chunk], words
                )
                entries += [(start + position, slot) for position, slot in changes]
            self.decisions.count_turned_away(classes[chunk], words)
            start += len(witness)
        return entries

    def _adapt(self, screened: int, doubtful: int) -> None:
        """Take fewer patches at a time while many enter: each entry spares later ones the table."""
        if doubtful > screened / 4:
            self._together = max(self._together // 2, min(FEWEST, CHUNK))
        elif doubtful < screened / 16:
            self._together = min(self._together * 2, CHUNK)

    def _rejected_together(self, patches: Tensor, host: np.ndarray) -> np.ndarray:
        """Return (N,) int64: slot of a member that surely rejects the patch, or -1."""
        found = self.screen.near(patches, min(self.pair.squared, self.farthest))
        squared, slots, margin = (values.cpu().numpy() for values in found)
        near = np.abs(squared.astype(np.float64)) + margin
        safe = near <= self.pair.squared
        far = np.flatnonzero(safe & (near > self.farthest))
        if len(far):
            exact = squared_distances(self.points[slots[far]], host[far])
            self.farthest = max(self.farthest, float(exact.max()))
        return np.where(safe, slots, -1)

    def _decided_singly(
        self,
        host: np.ndarray,
        witness: np.ndarray,
        doubtful: np.ndarray,
        classes: np.ndarray,
        words: np.ndarray,
    ) -> list[tuple[int, int]]:
        """Decide patches one after the other, and those that lose their witness on the way.

        `words` receives the class of the member that turned each of them away, or ENTERS.
        """
        entries: list[tuple[int, int]] = []
        queue: list[int] = doubtful.tolist()
        tabled = list(queue)
        row_of = {position: row for row, position in enumerate(tabled)}
        centred = host[doubtful] - self._centre
        norms = np.square(centred).sum(axis=1)
        table = self.pair.products(centred, norms)
        while queue:
            position = heappop(queue)
            row = row_of.get(position)
            if row is None:
                point = host[position] - self._centre
                squared = self.pair.products(point[None], np.square(point).sum()[None])[0]
            else:
                point, squared = centred[row], table[row]
            against = self._against(host[position], point, squared)
            if against != ENTERS:
                words[position] = self.classes[against]
                continue
            words[position] = ENTERS
            slot = self.pair.newer
            pair = int(self.classes[slot]), int(self.classes[self.pair.older])
            self.decisions.entered[int(classes[position]), *pair] += 1
            self.classes[slot] = classes[position]
            self._place(slot, host[position], point, squared)
            entries.append((position, slot))
            later = bisect_right(tabled, position)
            if later < len(tabled):
                column = norms[later:] + self.pair.norms[slot] - 2.0 * (centred[later:] @ point)
                table[later:, slot] = np.maximum(column, 0.0, out=column)
            behind = witness[position + 1 :]
            for lost in np.flatnonzero(behind == slot).tolist():
                behind[lost] = -1
                heappush(queue, position + 1 + lost)
        return entries

    def _against(self, patch: np.ndarray, point: np.ndarray, squared: np.ndarray) -> int:
        """Return a member within d_m of a patch, or ENTERS if it is farther from all.

        Args:
            patch: (D,) float32.
            point: (D,) float64, the patch relative to the centre.
            squared: (M,) squared distances within the margins of `ClosestPair.products`.
        """
        lowest = squared.min()
        margin = self.pair.margin(float(point @ point))
        limit = self.pair.squared
        if lowest > limit + margin:
            return ENTERS
        if lowest <= min(limit - margin, self.farthest):
            return int(squared.argmin())
        possible = np.flatnonzero(squared <= lowest + 2.0 * margin)
        exact = squared_distances(self.points[possible], patch)
        nearest = float(exact.min())
        if nearest > limit:
            return ENTERS
        self.farthest = max(self.farthest, nearest)
        return int(possible[exact.argmin()])

    def _place(self, slot: int, patch: np.ndarray, point: np.ndarray, squared: np.ndarray) -> None:
        """Put a patch in the place of a member."""
        self.points[slot] = patch
        self._centred[slot] = point
        self.order[slot] = self._serial
        self._serial += 1
        self._unwritten.append(slot)
        self.pair.replaced(slot, squared)
