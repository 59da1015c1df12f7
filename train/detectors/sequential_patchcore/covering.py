"""How well a coreset covers patches."""

from __future__ import annotations

import math
from collections.abc import Iterable

from torch import Tensor

from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.distances import squared_distances


def covering_radius(coreset: Coreset, batches: Iterable[Tensor]) -> float:
    """Return the largest distance of any patch to its nearest member.

    Args:
        coreset: not empty.
        batches: patches, each batch (N, D) float32.
    """
    members = coreset.members.cpu().numpy()
    largest = 0.0
    for features in batches:
        patches = features.cpu().numpy()
        _, slots = coreset.nearest(features)
        squared = squared_distances(patches, members[slots.cpu().numpy()])
        largest = max(largest, float(squared.max()))
    return math.sqrt(largest)
