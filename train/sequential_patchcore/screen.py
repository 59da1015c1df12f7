"""Nearest member of many patches at once, by one float32 matrix product on any device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from train.sequential_patchcore.distances import ROUNDOFF_32, TINY_32, product_error

#: Patches per product: its result, at 2048 members 4 MB, should stay in the cache.
CHUNK = 512

#: Members per group when looking for the smallest: taking minima is much faster than their places.
GROUP = 32

#: Roundoff of a float32 product under `torch.set_float32_matmul_precision`.
ROUNDOFF = {"highest": ROUNDOFF_32, "high": 2.0**-10, "medium": 2.0**-7}

#: Largest magnitude of a coordinate: beyond it a float32 product could overflow.
LARGEST = 1e15


class Screen:
    """The members, held so that distances to all of them are one matrix product.

    Args:
        size: number of slots M; an empty slot is infinitely far from everything.
        centre: (D,) float32 that is subtracted from everything, to keep rounding small.
        device: where the products are computed.
    """

    def __init__(self, size: int, centre: np.ndarray, device: torch.device) -> None:
        dimension = len(centre)
        slots = -(-size // GROUP) * GROUP
        self.device = device
        self.centre = torch.from_numpy(centre).to(device)
        self._members = torch.zeros(slots, dimension, device=device)
        self._norms = torch.full((slots,), torch.inf, device=device)
        self._scratch = torch.empty(CHUNK, slots, device=device)
        self._dimension = dimension

    def write(self, slots: Sequence[int], centred: np.ndarray) -> None:
        """Place members.

        Args:
            slots: (N,) where.
            centred: (N, D) float64, relative to `centre`.
        """
        values = torch.from_numpy(centred)
        places = torch.as_tensor(slots, device=self.device)
        self._members[places] = values.to(self.device, torch.float32)
        self._norms[places] = values.square().sum(1).to(self.device, torch.float32)

    @torch.no_grad()
    def nearest(self, patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return squared distance to the nearest member, its slot, and the distance's margin.

        Args:
            patches: (N, D) float32 on `device`.

        Returns:
            (N,) float32, (N,) int64, (N,) float32: the squared distance to the member in that slot
            is within the margin of the value given, which may be slightly negative.
        """
        squared = torch.empty(len(patches), device=self.device)
        slots = torch.empty(len(patches), dtype=torch.int64, device=self.device)
        margin = torch.empty(len(patches), device=self.device)
        share = product_error(self._dimension, ROUNDOFF[torch.get_float32_matmul_precision()])
        for start in range(0, len(patches), CHUNK):
            part = slice(start, start + CHUNK)
            centred = patches[part] - self.centre
            norms = centred.square().sum(1)
            table = self._scratch[: len(centred)]
            torch.addmm(self._norms, centred, self._members.T, alpha=-2, out=table)
            groups = table.view(len(centred), -1, GROUP)
            lowest, group = groups.amin(2).min(1)
            place = groups[torch.arange(len(group), device=self.device), group].argmin(1)
            slots[part] = group * GROUP + place
            squared[part] = lowest + norms
            margin[part] = (norms + self._norms[slots[part]]) * share + 4 * TINY_32
        return squared, slots, margin

    @torch.no_grad()
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
            part = slice(start, start + CHUNK)
            difference = patches[part] - self.centre
            difference -= self._members[slots[part]]
            torch.linalg.vector_norm(difference, dim=1, out=found[part])
        return found
