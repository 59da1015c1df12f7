"""The members nearest to a patch: several say more surely than one how far it is from nominal."""

from __future__ import annotations

import torch
from torch import Tensor

#: Points that are compared at once.
CHUNK = 4096


def k_nearest(points: Tensor, members: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the distances of points to their nearest members, and which these are.

    Args:
        points: (N, D) float32.
        members: (M, D) float32.
        count: k, how many; at most M.

    Returns:
        (N, k) float32 Euclidean distances, the nearest first, and (N, k) int64 rows of `members`.
    """
    centre = members.mean(0)
    centred = members - centre
    norms = centred.square().sum(1)
    distances, rows = [], []
    # How many pieces there are cannot depend on a picture whose size is not known yet.
    whole = points - centre
    for chunk in [whole] if torch.compiler.is_exporting() else whole.split(CHUNK):
        near = torch.addmm(norms[None], chunk, centred.T, alpha=-2)
        found = near.topk(count, 1, largest=False).indices
        # The product loses digits where a patch lies close to a member; differences do not.
        exact = torch.stack([(chunk - centred[column]).norm(dim=1) for column in found.T], 1)
        ordered = _ordered(exact)
        distances.append(ordered.values)
        rows.append(found.gather(1, ordered.indices))
    return torch.cat(distances), torch.cat(rows)


def _ordered(distances: Tensor) -> torch.return_types.sort | torch.return_types.topk:
    """Return rows in ascending order; runtimes have no sort that is stable, and few are equal."""
    if torch.compiler.is_exporting():
        return distances.topk(distances.shape[1], 1, largest=False)
    return distances.sort(dim=1, stable=True)


def around(members: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the members nearest to each member, itself left out, as `k_nearest` does.

    Args:
        members: (M, D) float32, all different.
        count: how many; at most M - 1.
    """
    distances, rows = k_nearest(members, members, count + 1)
    own = rows == torch.arange(len(members), device=rows.device)[:, None]
    # Rounding may put a twin in front of a member itself, but never out of reach of it.
    own[~own.any(1), -1] = True
    return distances[~own].view(-1, count), rows[~own].view(-1, count)
