"""Patch features of a convolutional network.

Stages of an ImageNet backbone, each averaged over a local neighbourhood as in PatchCore (Roth et
al., CVPR 2022), the deeper ones upsampled to the grid of the finest, then concatenated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from train.backbones.origins import described
from train.backbones.picture_network import NormalisingNetwork
from train.backbones.stages import Stages

#: Pixels by which an image is mirrored beyond its borders. Backbones pad with zeros at every layer,
#: so that patches at a border look like nothing else and the most anomalous pixel of a good image
#: lies there; on real images 64 is no better than 32, and 0 much worse.
MARGIN = 32


class PatchNetwork(NormalisingNetwork):
    """Images to patch features.

    Args:
        backbone: a convolutional network.
        stages: counted from 1; stage n has a stride of 2**n pixels.
        pool_kernel: side of the averaged neighbourhood in cells of each stage, odd.
        pool_stride: distance between patches in cells of the finest stage.
        weights: as for `Stages`.

    Raises:
        InputError: as for `Stages`.
    """

    def __init__(
        self,
        backbone: str,
        stages: tuple[int, ...],
        pool_kernel: int,
        pool_stride: int,
        weights: str | Path | None,
    ) -> None:
        super().__init__(backbone)
        self.stages = Stages(backbone, stages, weights)
        self.pool = nn.AvgPool2d(pool_kernel, 1, padding=pool_kernel // 2, count_include_pad=False)
        self.pool_kernel, self.pool_stride = pool_kernel, pool_stride
        self.cell, self.coarsest = 2 ** min(stages), 2 ** max(stages)
        self.chosen = sorted(stages)
        self.channels = self.stages.channels
        self.pitch = self.cell * pool_stride
        self.first_centre = self.stages.first_centre
        # No more than the image itself can be mirrored.
        self.smallest_image = max(self.stages.receptive_field, MARGIN + self.coarsest)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) in [0, 1] to (B, h, w, D)."""
        height, width = images.shape[-2:]
        normalised = F.pad((images - self.mean) / self.std, self.margins(height, width), "reflect")
        maps = [self.pool(stage) for stage in self.stages(normalised)]
        grid = maps[0].shape[-2:]
        coarse = [F.interpolate(m, size=grid, mode="bilinear") for m in maps[1:]]
        joined = torch.cat([maps[0], *coarse], dim=1).permute(0, 2, 3, 1)
        start, step = MARGIN // self.cell, self.pool_stride
        rows = slice(start, start - (-height // self.cell), step)
        columns = slice(start, start - (-width // self.cell), step)
        return joined[:, rows, columns].contiguous()

    def margins(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return by how many pixels an image is continued: left, right, top, bottom.

        To whole cells of the coarsest stage, so that the place of a patch does not depend on the
        image size.
        """
        right, bottom = -width % self.coarsest, -height % self.coarsest
        return MARGIN, MARGIN + right, MARGIN, MARGIN + bottom

    def identity(self) -> dict[str, Any]:
        """Return stages, pooling, margin, normalisation, and the hash of the weights."""
        return {
            "stages": self.chosen,
            "pool_kernel": self.pool_kernel,
            "pool_stride": self.pool_stride,
            "margin": MARGIN,
            **super().identity(),
            "weights": self.stages.weight_hash,
        }

    def pretrained(self) -> list[dict[str, Any]]:
        """Return the weights in use."""
        return [described(self.backbone, self.stages.source)]
