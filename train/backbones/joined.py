"""Features of several networks at the same places: a transformer sees, a fine stage places.

The grid is that of the finest network; the others are interpolated to it bilinearly. Every network
has length 1 over the root of its share, so that none outweighs the others (see `unit`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from train.backbones.picture_network import PictureNetwork
from train.backbones.unit import unit_layers
from train.feature_settings import JOIN


class JoinedNetwork(PictureNetwork):
    """Images to the features of several networks, one after the other in a vector.

    Args:
        networks: two or more, of a patch at every cell.
        shares: what each counts in the squared distance, together 1.
        pool_stride: distance between patches in cells of the finest grid.
    """

    def __init__(
        self, networks: Sequence[PictureNetwork], shares: Sequence[float], pool_stride: int
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.pool_stride = pool_stride
        self.shares = list(shares)
        self.channels = tuple(network.dimension for network in networks)
        finest = min(networks, key=lambda network: network.pitch)
        self.finest = list(networks).index(finest)
        self.pitch = finest.pitch * pool_stride
        self.first_centre = finest.first_centre
        most = max(networks, key=lambda network: network.smallest_image)
        self.smallest_image, self.sees = most.smallest_image, most.sees

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) in [0, 1] to (B, h, w, D)."""
        parts: dict[int, Tensor] = {}
        rows = columns = 0
        # The finest first: it says how many places there are.
        numbered = list(enumerate(self._each()))
        for number, network in sorted(numbered, key=lambda entry: entry[0] != self.finest):
            part = network(images)
            if number == self.finest:
                part = part[:, :: self.pool_stride, :: self.pool_stride]
                rows, columns = part.shape[1:3]
            if not network.is_unit:
                part = unit_layers(part, network.channels)
            if number != self.finest:
                part = self._placed(part, network, rows, dim=1)
                part = self._placed(part, network, columns, dim=2)
            parts[number] = part * math.sqrt(self.shares[number])
        return torch.cat([parts[number] for number in range(len(parts))], dim=-1)

    def _placed(self, part: Tensor, network: PictureNetwork, places: int, dim: int) -> Tensor:
        """Interpolate along an axis to the places of the grid; beyond the last cell it holds."""
        cells = part.shape[dim]
        at = torch.arange(places, device=part.device, dtype=torch.float32) * self.pitch
        at = ((at + (self.first_centre - network.first_centre)) / network.pitch).clamp(0, cells - 1)
        left = at.floor().long()
        right = (left + 1).clamp(max=cells - 1)
        share = (at - left).view([-1 if axis == dim else 1 for axis in range(4)])
        return torch.lerp(part.index_select(dim, left), part.index_select(dim, right), share)

    def for_size(self, height: int, width: int) -> JoinedNetwork:
        """Return one of networks for this size."""
        networks = [network.for_size(height, width) for network in self._each()]
        return JoinedNetwork(networks, self.shares, self.pool_stride)

    def identity(self) -> dict[str, Any]:
        """Return what the networks' are together, and how they are joined."""
        own = [network.identity() for network in self._each()]
        shared: dict[str, Any] = {}
        for identity in own:
            shared |= identity
        return {
            **shared,
            "mean": [identity["mean"] for identity in own],
            "std": [identity["std"] for identity in own],
            "weights": JOIN.join(identity["weights"] for identity in own),
            "shares": self.shares,
            "pool_stride": self.pool_stride,
        }

    def pretrained(self) -> list[dict[str, Any]]:
        """Return the weights in use."""
        return [entry for network in self._each() for entry in network.pretrained()]

    def _each(self) -> list[PictureNetwork]:
        return [cast(PictureNetwork, network) for network in self.networks]
