"""Scores of patches as the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from train.detectors.sequential_patchcore.scoring.density import local_scales
from train.detectors.sequential_patchcore.scoring.neighbours import around, k_nearest
from train.detectors.sequential_patchcore.scoring.reweighting import weights
from train.detectors.sequential_patchcore.settings import Settings


@dataclass(frozen=True)
class PatchScores:
    """What is known of the members of a coreset before any patch is scored.

    Attributes:
        members: (M, D) float32.
        neighbours: members whose distances are averaged.
        near: (M, b) rows of the members around each; None for no reweighting.
        scales: (M,) local scale of each; None for distances as they are.
    """

    members: Tensor
    neighbours: int
    near: Tensor | None
    scales: Tensor | None

    @classmethod
    def of(cls, settings: Settings, members: Tensor) -> Self | None:
        """Return them; None where the score of a patch is its distance to the nearest member."""
        others = len(members) - 1
        wanted = (settings.neighbours > 1, settings.reweighting > 0, settings.density > 0)
        if others < 1 or not any(wanted):
            return None
        near = around(members, min(settings.reweighting, others))[1] if wanted[1] else None
        scales = local_scales(members, min(settings.density, others)) if wanted[2] else None
        return cls(members, min(settings.neighbours, len(members)), near, scales)

    def __call__(self, patches: Tensor, distances: Tensor, nearest: Tensor) -> Tensor:
        """Return the (N,) float32 scores of patches.

        Args:
            patches: (N, D) float32.
            distances: (N,) float32, to the nearest member.
            nearest: (N,) int64, the row of that member.
        """
        scores = distances
        if self.neighbours > 1:
            scores = k_nearest(patches, self.members, self.neighbours)[0].mean(1)
        if self.near is not None:
            scores = scores * weights(patches, distances, nearest, self.members, self.near)
        if self.scales is not None:
            scores = scores / self.scales[nearest]
        return scores
