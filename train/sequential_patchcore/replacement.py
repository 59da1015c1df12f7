"""The paper's replacement rule, patch by patch in its decisions, many at a time in its work.

A patch farther from every member than the two closest members are from each other replaces the
newer of these two. A float32 product rejects most patches at once, each on the word of one member
near enough, its witness; the others are decided one by one from float64 distances. When a member
leaves, the patches behind in the stream for which it was the witness are decided one by one too.
"""

from __future__ import annotations

from bisect import bisect_right
from heapq import heappop, heappush

import numpy as np
import torch
from torch import Tensor

from train.sequential_patchcore.closest_pair import ClosestPair
from train.sequential_patchcore.distances import squared_distances
from train.sequential_patchcore.recall import Remembered
from train.sequential_patchcore.screen import CHUNK, Screen

#: Patches of the stream looked at together when most of them are remembered.
SPAN = 8192

#: Patches screened together while many of them become members.
FEWEST = 64


class Replacement:
    """A full set of M >= 2 members and the rule that changes it.

    Args:
        points: (M, D) float32, the members; shared and changed in place.
        order: (M,) int64, serial numbers, larger is newer; shared and changed in place.
        device: where the float32 products are computed.

    Attributes:
        farthest: largest squared distance of a rejected patch to a member near it, since it was
            last set to zero; an upper bound of the covering radius, tight to float32 rounding.
    """

    def __init__(self, points: np.ndarray, order: np.ndarray, device: torch.device) -> None:
        self.points = points
        self.order = order
        self.farthest = 0.0
        self._together = CHUNK
        centre = points.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._centre = centre.astype(np.float64)
        self._centred = points - self._centre
        self.pair = ClosestPair(points, self._centred, order)
        self._screen = Screen(len(points), centre, device)
        self._unwritten = list(range(len(points)))
        self._serial = int(order.max()) + 1
        # One place more than serial numbers: -1, for no witness, must read False.
        self._alive = np.zeros(2 * self._serial + 1, bool)
        self._alive[order] = True

    @property
    def screen(self) -> Screen:
        """The members as they are now, ready for products."""
        if self._unwritten:
            slots = sorted(set(self._unwritten))
            self._screen.write(slots, self._centred[slots])
            self._unwritten.clear()
        return self._screen

    def offer(self, patches: Tensor, host: np.ndarray, known: Remembered) -> list[tuple[int, int]]:
        """Show patches to the rule, in order.

        Args:
            patches: (N, D) float32 on the device.
            host: the same in the memory of the processor.
            known: what an earlier epoch found out about these patches; brought up to date.

        Returns:
            (position, slot) of each patch that became a member.
        """
        entries: list[tuple[int, int]] = []
        start = 0
        while start < len(host):
            window = slice(start, start + SPAN)
            rejected = self._alive[known.witness[window]]
            rejected &= known.reach[window] <= self.farthest
            unknown = start + np.flatnonzero(~rejected)
            count = self._together
            stop = int(unknown[count]) if len(unknown) > count else min(start + SPAN, len(host))
            doubtful = self._rejected_together(patches, host, known, unknown[:count])
            self._adapt(len(unknown[:count]), len(doubtful))
            if len(doubtful):
                ahead = Remembered(0, known.witness[:stop], known.reach[:stop])
                entries += self._decided_singly(host, ahead, doubtful)
            start = stop
        return entries

    def _adapt(self, screened: int, doubtful: int) -> None:
        """Take fewer patches at a time while many enter: each entry spares later ones the table."""
        if doubtful > screened / 4:
            self._together = max(self._together // 2, min(FEWEST, CHUNK))
        elif doubtful < screened / 16:
            self._together = min(self._together * 2, CHUNK)

    def _rejected_together(
        self, patches: Tensor, host: np.ndarray, known: Remembered, positions: np.ndarray
    ) -> np.ndarray:
        """Find witnesses for patches and return the positions of those left without one."""
        if not len(positions):
            return positions
        chosen = patches[torch.from_numpy(positions).to(patches.device)]
        found = self.screen.near(chosen, min(self.pair.squared, self.farthest))
        squared, slots, margin = (part.cpu().numpy() for part in found)
        near = np.abs(squared.astype(np.float64)) + margin
        safe = near <= self.pair.squared
        known.witness[positions] = np.where(safe, self.order[slots], -1)
        known.reach[positions] = near
        far = np.flatnonzero(safe & (near > self.farthest))
        if len(far):
            exact = squared_distances(self.points[slots[far]], host[positions[far]])
            self.farthest = max(self.farthest, float(exact.max()))
        return positions[~safe]

    def _decided_singly(
        self, host: np.ndarray, known: Remembered, doubtful: np.ndarray
    ) -> list[tuple[int, int]]:
        """Decide patches one after the other, and those that lose their witness on the way."""
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
            witness = self._near_enough(host[position], point, squared)
            if witness is not None:
                known.witness[position] = self.order[witness]
                known.reach[position] = squared[witness]
                continue
            slot = self.pair.newer
            gone = self.order[slot]
            self._place(slot, host[position], point, squared)
            entries.append((position, slot))
            known.witness[position] = self.order[slot]
            known.reach[position] = 0.0
            later = bisect_right(tabled, position)
            if later < len(tabled):
                column = norms[later:] + self.pair.norms[slot] - 2.0 * (centred[later:] @ point)
                table[later:, slot] = np.maximum(column, 0.0, out=column)
            behind = known.witness[position + 1 :]
            for lost in np.flatnonzero(behind == gone).tolist():
                behind[lost] = -1
                heappush(queue, position + 1 + lost)
        return entries

    def _near_enough(self, patch: np.ndarray, point: np.ndarray, squared: np.ndarray) -> int | None:
        """Return the slot of a member that rejects a patch, or None if the patch is to enter.

        Args:
            patch: (D,) float32.
            point: (D,) float64, the patch relative to the centre.
            squared: (M,) squared distances within the margins of `ClosestPair.products`.
        """
        slot = int(squared.argmin())
        margin = self.pair.margin(float(point @ point))
        limit = self.pair.squared
        if squared[slot] > limit + margin:
            return None
        if squared[slot] > min(limit - margin, self.farthest):
            possible = np.flatnonzero(squared <= squared[slot] + 2.0 * margin)
            exact = squared_distances(self.points[possible], patch)
            nearest = exact.min()
            if nearest > limit:
                return None
            self.farthest = max(self.farthest, float(nearest))
            slot = int(possible[exact.argmin()])
        return slot

    def _place(self, slot: int, patch: np.ndarray, point: np.ndarray, squared: np.ndarray) -> None:
        """Put a patch in the place of a member."""
        if self._serial + 1 >= len(self._alive):
            self._alive = np.concatenate([self._alive, np.zeros_like(self._alive)])
        self._alive[self.order[slot]] = False
        self._alive[self._serial] = True
        self.points[slot] = patch
        self._centred[slot] = point
        self.order[slot] = self._serial
        self._serial += 1
        self._unwritten.append(slot)
        self.pair.replaced(slot, squared)
