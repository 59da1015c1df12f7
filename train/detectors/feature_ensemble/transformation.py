"""From the features of several members to maps on one grid.

Source: Heller et al., "Multisource neural network feature map fusion", Intelligent Systems with
Applications 19, 2023: the individual and the global transformation block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from train.anomaly_map import smoothing_matrix
from train.detectors.detector import PatchPlaces


@dataclass(frozen=True)
class Placed:
    """The features of one member on a picture.

    Attributes:
        vectors: (h, w, D) float32.
        places: of the patches.
    """

    vectors: Tensor
    places: PatchPlaces

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.vectors.shape[0], self.vectors.shape[1]


class Transformation(nn.Module):
    """Projects the features of each member, reduces them, brings them to one grid and joins them.

    Args:
        widths: dimensions D of the members' features.
        projected: whether each has a projection, a linear layer that starts as the identity.
        kept: maps of each member; with a single number, that many of all together.
    """

    def __init__(
        self, widths: Sequence[int], projected: Sequence[bool], kept: Sequence[int] | int
    ) -> None:
        super().__init__()
        self.adds = isinstance(kept, int)
        each = [kept] * len(widths) if isinstance(kept, int) else list(kept)
        self.maps = kept if isinstance(kept, int) else sum(kept)
        self.projections = nn.ModuleList(
            _identity(width) if has else nn.Identity()
            for width, has in zip(widths, projected, strict=True)
        )
        for number, (width, count) in enumerate(zip(widths, each, strict=True)):
            self.register_buffer(f"mean_{number}", torch.zeros(width))
            self.register_buffer(f"axes_{number}", torch.zeros(width, count))

    def set_axes(self, number: int, mean: np.ndarray, axes: np.ndarray) -> None:
        """Set what is taken off a member's (D,) features, and what they are multiplied by."""
        for name, array in (("mean", mean), ("axes", axes)):
            buffer = self.get_buffer(f"{name}_{number}")
            buffer.copy_(torch.from_numpy(np.ascontiguousarray(array, np.float32)))

    def forward(self, members: Sequence[Placed]) -> Tensor:
        """Map the features of a picture to (h, w, N) maps on the largest of their grids."""
        target = largest(members)
        maps = []
        for number, member in enumerate(members):
            vectors = self.projections[number](member.vectors)
            centred = vectors - self.get_buffer(f"mean_{number}")
            reduced = centred @ self.get_buffer(f"axes_{number}")
            maps.append(resized(Placed(reduced, member.places), target))
        if self.adds:
            return torch.stack(maps).sum(dim=0)
        return torch.cat(maps, dim=2)


def _identity(width: int) -> nn.Linear:
    """Return a linear layer that changes nothing yet."""
    layer = nn.Linear(width, width)
    nn.init.eye_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def largest(members: Sequence[Placed]) -> Placed:
    """Return the member with the most patches, the first of equals."""
    return max(members, key=lambda member: member.grid[0] * member.grid[1])


def resized(member: Placed, target: Placed) -> Tensor:
    """Return (h, w, C) vectors bilinearly at the places of another grid.

    Beyond the outer patches the nearest value holds.
    """
    if member.grid == target.grid and member.places == target.places:
        return member.vectors
    down, across = (_matrix(member, target, axis, member.vectors) for axis in (0, 1))
    rows = torch.tensordot(down, member.vectors, dims=([1], [0]))
    return torch.matmul(across, rows)


def _matrix(member: Placed, target: Placed, axis: int, like: Tensor) -> Tensor:
    """Return the (cells of the target, cells of the member) matrix along an axis."""
    own, wanted = member.places, target.places
    first = (own.first[axis] - wanted.first[axis]) / wanted.pitch[axis]
    pitch = own.pitch[axis] / wanted.pitch[axis]
    cells = target.grid[axis], member.grid[axis]
    matrix = smoothing_matrix(*cells, first, pitch, kernel_px=1)
    return torch.from_numpy(matrix).to(like.device)
