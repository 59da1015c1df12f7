"""Members that count more or less than others for what is nominal.

A weight w makes the distance to a member count 1/w times: with 0.5 a patch must be twice as near to
it to score the same, with 0 the member counts for nothing. What was learned stays as it is, and so
do the members that it has kept out: what a class would have left to others, `forget` asks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from stainless.errors import InputError
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.notes import Notes
from train.detectors.sequential_patchcore.screen import Screen


def checked(notes: Notes, weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weights of classes, or of ways in which pictures were made, that differ from 1.

    Raises:
        InputError: nobody answers to a name, or a weight is negative or not finite.
    """
    for name, weight in weights.items():
        notes.require_class(name, "--weigh")
        if not (math.isfinite(weight) and weight >= 0):
            raise InputError(f"--weigh: {name}={weight:g}, expected a weight of 0 or more")
    return {name: float(weight) for name, weight in sorted(weights.items()) if weight != 1}


def member_weights(coreset: Coreset) -> np.ndarray:
    """Return (len,) float64: the product of the weights of all names that a member answers to."""
    notes = coreset.notes
    found = np.ones(len(coreset))
    for name, weight in notes.weights.items():
        found[notes.members_of([name], len(coreset))] *= weight
    return found


class WeighedMembers:
    """The members of a coreset, ready for distances that count as their weights say.

    Args:
        coreset: not empty; its later changes are not seen.

    Raises:
        InputError: no member has a weight above 0.
    """

    def __init__(self, coreset: Coreset) -> None:
        weights = member_weights(coreset)
        members = coreset.members.cpu().numpy()
        centre = members.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._groups: list[tuple[float, Tensor, Screen]] = []
        for weight in np.unique(weights[weights > 0]).tolist():
            rows = np.flatnonzero(weights == weight)
            screen = Screen(len(rows), centre, coreset.device)
            screen.write(range(len(rows)), members[rows] - centre.astype(np.float64))
            self._groups.append((weight, torch.from_numpy(rows).to(coreset.device), screen))
        if not self._groups:
            raise InputError("every member has a weight of 0, expected one above it")

    @torch.inference_mode(False)
    @torch.no_grad()
    def nearest(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N,) float32 weighed distances to the nearest members and (N,) int64 their rows.

        Args:
            patches: (N, D) float32, finite, on the device.
        """
        best: tuple[Tensor, Tensor] | None = None
        for weight, rows, screen in self._groups:
            _, slots, _ = screen.nearest(patches)
            distances, members = screen.distances(patches, slots) / weight, rows[slots]
            if best is not None:
                nearer = distances < best[0]
                distances = torch.where(nearer, distances, best[0])
                members = torch.where(nearer, members, best[1])
            best = distances, members
        assert best is not None
        return best
