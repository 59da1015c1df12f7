"""Pictures enlarged or reduced before a network sees them, all by the same factor.

A millimetre stays as long from picture to picture, which it does not where pictures of several
sizes are made one size.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from train.backbones import traced_scaling
from train.backbones.picture_network import PictureNetwork

#: A factor is meant as it is written: 0.7 makes 63 pixels of 90, though 90 * 0.7 is below 63.
STEADY = 1 + 1e-12


class ScaledNetwork(PictureNetwork):
    """Another network on scaled pictures; places are those of the pictures as they are.

    Args:
        network: sees the scaled pictures.
        scale: factor, above 0; 2 doubles the sides of a picture.
    """

    def __init__(self, network: PictureNetwork, scale: float) -> None:
        super().__init__()
        self.network, self.scale = network, scale
        self.channels = network.channels
        self.pitch = network.pitch / scale
        # Pixels count from their centres: scaling moves them by half a pixel.
        self.first_centre = (network.first_centre + 0.5) / scale - 0.5
        self.smallest_image = math.ceil(network.smallest_image / scale)
        self.sees = network.sees

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) in [0, 1] to (B, h, w, D)."""
        if torch.compiler.is_exporting():
            scaled = traced_scaling.scaled(images, self.scale)
        else:
            scaled = F.interpolate(
                images,
                scale_factor=self.scale * STEADY,
                mode="bilinear",
                antialias=self.scale < 1,
                recompute_scale_factor=False,
            )
        features: Tensor = self.network(scaled)
        return features

    def for_size(self, height: int, width: int) -> ScaledNetwork:
        """Return one of a network for the scaled size."""
        factor = self.scale * STEADY
        seen = (math.floor(height * factor), math.floor(width * factor))
        return ScaledNetwork(self.network.for_size(*seen), self.scale)

    def identity(self) -> dict[str, Any]:
        """Return the network's, and the factor."""
        return {**self.network.identity(), "scale": self.scale}

    def pretrained(self) -> list[dict[str, Any]]:
        """Return the weights in use."""
        return self.network.pretrained()
