"""Nearest member of many patches at once, by float32 matrix products on any device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from train.detectors.sequential_patchcore.distances import ROUNDOFF_32, TINY_32, product_error

#: Patches per product: its result, at 2048 members 4 MB, should stay in the cache.
CHUNK = 512

#: Members per group when looking for the smallest: taking minima is much faster than their places.
GROUP = 32

#: The share of members that is tried first, and the number of patches after which it is chosen
#: anew: a few members in the middle of the data are near enough to most patches.
FRONT = 1 / 8
FRONT_PATCHES = 32_768

#: Roundoff of a float32 product under `torch.set_float32_matmul_precision`.
ROUNDOFF = {"highest": ROUNDOFF_32, "high": 2.0**-10, "medium": 2.0**-7}

#: Largest magnitude of a coordinate: beyond it a float32 product could overflow.
LARGEST = 1e15

#: Squared distance, slot of the member it is to, and margin of error of each of some patches.
Found = tuple[Tensor, Tensor, Tensor]


class Screen:
    """The members, held so that distances to all of them are one matrix product.

    Args:
        size: number of slots M; an empty slot is infinitely far from everything.
        centre: (D,) float32 that is subtracted from everything, to keep rounding small.
        device: where the products are computed.
    """

    def __init__(self, size: int, centre: np.ndarray, device: torch.device) -> None:
        rows = -(-size // GROUP) * GROUP
        self.device = device
        self.centre = torch.from_numpy(centre).to(device)
        self._dimension = len(centre)
        self._members = torch.zeros(rows, len(centre), device=device)
        self._norms = torch.full((rows,), torch.inf, device=device)
        self._scratch = torch.empty(CHUNK * rows, device=device)
        self._slot_of = torch.arange(rows, device=device)
        self._row_of = torch.arange(rows, device=device)
        self._front = int(rows * FRONT) // GROUP * GROUP
        self._uses = torch.zeros(rows, device=device)
        self._counted = 0

    def write(self, slots: Sequence[int], centred: np.ndarray) -> None:
        """Place members.

        Args:
            slots: (N,) where.
            centred: (N, D) float64, relative to `centre`.
        """
        values = torch.from_numpy(centred)
        rows = self._row_of[torch.as_tensor(slots, device=self.device)]
        self._members[rows] = values.to(self.device, torch.float32)
        self._norms[rows] = values.square().sum(1).to(self.device, torch.float32)

    def nearest(self, patches: Tensor) -> Found:
        """Return squared distance to the nearest member, its slot, and the distance's margin.

        Args:
            patches: (N, D) float32 on `device`.

        Returns:
            (N,) float32, (N,) int64, (N,) float32: the squared distance to the member in that slot
            is within the margin of the value given, which may be slightly negative.
        """
        found = [self._lowest(chunk - self.centre, len(self._norms)) for chunk in chunks(patches)]
        return joined(found)

    def near(self, patches: Tensor, enough: float) -> Found:
        """Do as `nearest`, but any member at most `enough` away, squared, will do."""
        results = []
        for chunk in chunks(patches):
            centred = chunk - self.centre
            if self._front and enough > 0:
                found = self._lowest(centred, self._front)
                rest = torch.nonzero(found[0].abs() + found[2] > enough)[:, 0]
                if len(rest):
                    for whole, exact in zip(
                        found, self._lowest(centred[rest], len(self._norms)), strict=True
                    ):
                        whole[rest] = exact
            else:
                found = self._lowest(centred, len(self._norms))
            results.append(found)
            self._count(found[1])
        return joined(results)

    def _lowest(self, centred: Tensor, rows: int) -> Found:
        """Return the nearest of the first `rows` members for at most `CHUNK` centred patches."""
        norms = centred.square().sum(1)
        table = self._scratch[: len(centred) * rows].view(len(centred), rows)
        torch.addmm(self._norms[:rows], centred, self._members[:rows].T, alpha=-2, out=table)
        groups = table.view(len(centred), -1, GROUP)
        lowest, group = groups.amin(2).min(1)
        place = groups[torch.arange(len(group), device=self.device), group].argmin(1)
        row = group * GROUP + place
        share = product_error(self._dimension, ROUNDOFF[torch.get_float32_matmul_precision()])
        margin = (norms + self._norms[row]) * share + 4 * TINY_32
        return lowest + norms, self._slot_of[row], margin

    def _count(self, slots: Tensor) -> None:
        """Take note of members that were of use, and bring the most useful to the front."""
        self._uses += torch.bincount(slots, minlength=len(self._uses))
        self._counted += len(slots)
        if self._front and self._counted >= FRONT_PATCHES:
            ranked = self._uses.argsort(descending=True, stable=True)
            rows = self._row_of[ranked]
            self._members = self._members[rows]
            self._norms = self._norms[rows]
            self._slot_of = ranked
            self._row_of = ranked.argsort()
            self._uses /= 2
            self._counted = 0

    def distances(self, patches: Tensor, slots: Tensor) -> Tensor:
        """Return the distance of each patch to the member in its slot, free of cancellation.

        Args:
            patches: (N, D) float32 on `device`.
            slots: (N,) int64.

        Returns:
            (N,) float32.
        """
        found = torch.empty(len(patches), device=self.device)
        for start in range(0, len(patches), CHUNK):
            chunk = slice(start, start + CHUNK)
            difference = patches[chunk] - self.centre
            difference -= self._members[self._row_of[slots[chunk]]]
            torch.linalg.vector_norm(difference, dim=1, out=found[chunk])
        return found


def chunks(patches: Tensor) -> Sequence[Tensor]:
    """Cut patches into pieces of at most `CHUNK`, at least one."""
    return patches.split(CHUNK)


def joined(results: Sequence[Found]) -> Found:
    """Put the findings of consecutive pieces together."""
    first, second, third = zip(*results, strict=True)
    return torch.cat(first), torch.cat(second), torch.cat(third)
