"""Patch features of a vision transformer: the tokens of chosen blocks, whole or in windows.

A picture is mirrored to whole patches at its right and bottom. It has no margin, since a
transformer pads nothing. Position embeddings are interpolated to the grid that the network sees.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from stainless.errors import InputError
from train.backbones.origins import described
from train.backbones.picture_network import NormalisingNetwork
from train.backbones.transformer import Transformer
from train.backbones.unit import unit_layers
from train.backbones.windows import mean_over_windows


class TokenNetwork(NormalisingNetwork):
    """Images to the patch tokens of a transformer, each block's of one scale (`unit_layers`).

    With windows no more than one of them is seen at a time, so that what the transformer needs does
    not grow with the picture; only its features do.

    Args:
        backbone: a vision transformer.
        blocks: as for `Transformer`.
        pool_stride: distance between patches in tokens.
        window_px: side of the windows, a multiple of the patch; None for whole pictures.
        window_stride_px: from a window to the next, a multiple of the patch and no more than a
            window; None for half of a window.
        weights: as for `Transformer`.

    Raises:
        InputError: as for `Transformer`, or windows that hold no whole patches.
    """

    is_unit = True

    def __init__(
        self,
        backbone: str,
        blocks: Sequence[int],
        pool_stride: int,
        window_px: int | None,
        window_stride_px: int | None,
        weights: str | Path | None,
    ) -> None:
        super().__init__(backbone)
        self.transformer = Transformer(backbone, blocks, weights)
        self.pool_stride = pool_stride
        self.channels = self.transformer.channels
        self.patch = patch = self.transformer.patch
        self.pitch = patch * pool_stride
        self.first_centre = (patch - 1) / 2
        self.side, self.stride = self._cells(window_px, window_stride_px)
        self.smallest_image = patch if self.side is None else self.side * patch
        self.sees = "a patch" if self.side is None else "a window"

    def _cells(self, window_px: int | None, stride_px: int | None) -> tuple[int | None, int]:
        """Return side and stride of the windows in tokens."""
        patch = f"{self.patch}, the patch of {self.backbone}"
        if window_px is None:
            if stride_px is not None:
                raise InputError(f"window_stride_px {stride_px}: expected window_px beside it")
            return None, 1
        if window_px < self.patch or window_px % self.patch:
            raise InputError(f"window_px {window_px}: expected a multiple of {patch}")
        side = window_px // self.patch
        if stride_px is None:
            return side, max(side // 2, 1)
        if not self.patch <= stride_px <= window_px or stride_px % self.patch:
            raise InputError(
                f"window_stride_px {stride_px}: expected a multiple of {patch}, "
                f"no more than the window of {window_px}"
            )
        return side, stride_px // self.patch

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) in [0, 1] to (B, h, w, D)."""
        height, width = images.shape[-2:]
        surplus = (0, -width % self.patch, 0, -height % self.patch)
        normalised = F.pad((images - self.mean) / self.std, surplus, "reflect")
        rows, columns = (length // self.patch for length in normalised.shape[-2:])
        if self.side is None:
            tokens = self._tokens(normalised)
        else:
            reach = self.side * self.patch

            def within(top: int, left: int) -> Tensor:
                y, x = top * self.patch, left * self.patch
                return self._tokens(normalised[..., y : y + reach, x : x + reach])

            tokens = mean_over_windows((rows, columns), self.side, self.stride, within)
        return tokens[:, :: self.pool_stride, :: self.pool_stride].contiguous()

    def _tokens(self, normalised: Tensor) -> Tensor:
        maps = self.transformer(normalised)
        return unit_layers(torch.cat(maps, dim=1).permute(0, 2, 3, 1), self.channels)

    def for_size(self, height: int, width: int) -> TokenNetwork:
        """Return one with position embeddings for the grid of these pictures, or of a window."""
        sides = [-(-length // self.patch) * self.patch for length in (height, width)]
        if self.side is not None:
            sides = [self.side * self.patch] * 2
        fixed = copy.deepcopy(self)
        fixed.transformer.network.set_input_size(img_size=tuple(sides))
        return fixed

    def identity(self) -> dict[str, Any]:
        """Return blocks, windows, normalisation, and the hash of the weights."""
        side, stride = self.side, self.stride
        return {
            "blocks": list(self.transformer.blocks),
            "window_px": None if side is None else side * self.patch,
            "window_stride_px": None if side is None else stride * self.patch,
            "pool_stride": self.pool_stride,
            **super().identity(),
            "weights": self.transformer.weight_hash,
        }

    def pretrained(self) -> list[dict[str, Any]]:
        """Return the weights in use."""
        return [described(self.backbone, self.transformer.source)]
