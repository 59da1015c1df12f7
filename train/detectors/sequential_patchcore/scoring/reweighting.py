"""PatchCore's weight of a distance: more where the nearest member is a rare one itself.

Source: Roth et al., Towards total recall in industrial anomaly detection (CVPR 2022), equation 7.
"""

from __future__ import annotations

import torch
from torch import Tensor


def weights(
    points: Tensor, distances: Tensor, nearest: Tensor, members: Tensor, near: Tensor
) -> Tensor:
    """Return by what the distance of each point to its nearest member is multiplied.

    It is one less the share of the nearest member in a sum over the members around it and itself of
    exp(distance of the point to the member).

    Args:
        points: (N, D) float32.
        distances: (N,) float32, to the nearest member.
        nearest: (N,) int64, the row of that member.
        members: (M, D) float32.
        near: (M, b) int64, rows of the members around each member, itself left out.

    Returns:
        (N,) float32, from 0 to below 1; nearly b / (b + 1) where all are about as far.
    """
    rows = near[nearest]
    others = torch.stack([(points - members[column]).norm(dim=1) for column in rows.T], 1)
    logits = torch.cat([distances[:, None], others], 1).double()
    return (1 - logits.softmax(1)[:, 0]).float()
