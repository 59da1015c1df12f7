"""What the sequential coreset is measured against."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from train.detectors.sequential_patchcore.distances import squared_distances

#: Passes of the sequential coreset where it is measured beside them, before it has converged.
EPOCHS = 5


def exact_greedy(patches: Tensor, size: int) -> Tensor:
    """Return the members of greedy k-center selection, without any projection.

    The fairest form of PatchCore's own selection: float32, one matrix-vector product per member,
    distances to the nearest member kept and lowered in place.

    Args:
        patches: (N, D) float32.
        size: number of members.

    Returns:
        (size, D) float32; the first member is the first patch.
    """
    norms = torch.einsum("nd,nd->n", patches, patches)
    nearest = torch.full_like(norms, torch.inf)
    squared = torch.empty_like(norms)
    chosen = [0]
    while True:
        newest = chosen[-1]
        torch.addmv(norms, patches, patches[newest], alpha=-2, out=squared)
        squared += norms[newest]
        torch.minimum(nearest, squared, out=nearest)
        if len(chosen) == size:
            return patches[chosen]
        chosen.append(int(nearest.argmax()))


def anomalib_greedy(patches: Tensor, size: int) -> Tensor:
    """Return the members that anomalib's `KCenterGreedy` selects.

    Args:
        patches: (N, D) float32.
        size: number of members.
    """
    from anomalib.models.components.sampling import KCenterGreedy

    # Half a member more, since anomalib rounds the product of ratio and count down.
    sampler = KCenterGreedy(embedding=patches, sampling_ratio=(size + 0.5) / len(patches))
    return sampler.sample_coreset()


def naive_decisions(members: np.ndarray, patches: np.ndarray, limit: float) -> int:
    """Decide patch after patch from float64 distances; return how many would enter.

    The loop as the paper describes it in its steady state: nothing is replaced, so the smallest
    distance between members is not sought again.

    Args:
        members: (M, D) float32.
        patches: (N, D) float32.
        limit: d_m.
    """
    return sum(bool(squared_distances(members, patch).min() > limit**2) for patch in patches)
