"""Patch features: what pictures are compared by, one vector at each place of a grid.

Stages of an ImageNet backbone, each averaged over a local neighbourhood as in PatchCore (Roth et
al., CVPR 2022), the deeper ones upsampled to the grid of the finest, then concatenated.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stainless.errors import InputError
from train.backbones import RANDOM, Stages, known
from train.patch_grid import PatchGrid

#: Pixels by which an image is mirrored beyond its borders. Backbones pad with zeros at every layer,
#: so that patches at a border look like nothing else and the most anomalous pixel of a good image
#: lies there; on real images 64 is no better than 32, and 0 much worse.
MARGIN = 32

#: Compiled networks kept per extractor; one per image size.
COMPILED_SIZES = 4


class PatchNetwork(nn.Module):
    """Images to patch features, free of checks, so that it can be exported or compiled."""

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: str,
        stages: tuple[int, ...],
        pool_kernel: int,
        pool_stride: int,
        weights: str | Path | None,
    ) -> None:
        super().__init__()
        self.stages = Stages(backbone, stages, weights)
        self.pool = nn.AvgPool2d(pool_kernel, 1, padding=pool_kernel // 2, count_include_pad=False)
        self.pool_stride = pool_stride
        self.cell, self.coarsest = 2 ** min(stages), 2 ** max(stages)
        published = known(backbone)
        self.register_buffer(
            "mean", torch.tensor(published.mean).view(1, 3, 1, 1), persistent=False
        )
        self.register_buffer("std", torch.tensor(published.std).view(1, 3, 1, 1), persistent=False)

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


class FeatureExtractor(nn.Module):
    """Frozen extractor of patch features from images of any size.

    Args:
        backbone: `efficientnet_lite0`, `mobilenet_v3_large` or `timm:<architecture>`.
        stages: backbone stages, counted from 1; stage n has a stride of 2**n pixels.
        pool_kernel: side of the averaged neighbourhood in cells of each stage, odd.
        pool_stride: distance between patches in cells of the finest stage.
        weights: a state file; None for the published ImageNet weights; `"random"` for measuring
            speed and nothing else.
        device: where to compute.
        accelerator: `"openvino"` computes with OpenVINO on the processor, one compilation per
            image size; None with PyTorch.

    Raises:
        InputError: an argument out of its range, or missing weights.
    """

    def __init__(
        self,
        backbone: str = "efficientnet_lite0",
        stages: Sequence[int] = (3, 4),
        pool_kernel: int = 3,
        pool_stride: int = 1,
        weights: str | Path | None = None,
        device: str | torch.device = "cpu",
        accelerator: str | None = None,
    ) -> None:
        super().__init__()
        if pool_kernel < 1 or pool_kernel % 2 == 0 or pool_stride < 1:
            raise InputError(
                f"pooling {pool_kernel}, stride {pool_stride}: expected an odd kernel, stride >= 1"
            )
        if accelerator not in (None, "openvino"):
            raise InputError(f"unknown accelerator '{accelerator}'; known: openvino")
        self.backbone = backbone
        self.stages = tuple(sorted(stages))
        self.pool_kernel = pool_kernel
        self.pool_stride = pool_stride
        self.untrained = str(weights) == RANDOM
        self.network = PatchNetwork(backbone, self.stages, pool_kernel, pool_stride, weights)
        self.network.to(device)
        self.accelerator = accelerator
        self._compiled: dict[tuple[int, ...], Callable[[Tensor], Tensor]] = {}

    @property
    def dimension(self) -> int:
        """Length D of a patch feature."""
        return sum(self.network.stages.channels)

    @property
    def device(self) -> torch.device:
        """Where the features are computed."""
        return self.network.mean.device

    @property
    def smallest_image(self) -> int:
        """Smallest side of an image in pixels: what one cell of the finest stage sees.

        More than the margin in any case, since no more than the image itself can be mirrored.
        """
        return max(self.network.stages.receptive_field, MARGIN + self.network.coarsest)

    @property
    def pitch(self) -> int:
        """Distance in pixels between the centres of neighbouring patches."""
        return 2 ** self.stages[0] * self.pool_stride

    @property
    def first_centre(self) -> float:
        """Pixel coordinate, 0 being the centre of the first pixel, where the first patch lies."""
        return self.network.stages.first_centre

    @property
    def grid(self) -> PatchGrid:
        """Where the patches lie."""
        return PatchGrid(self.first_centre, self.pitch)

    def identity(self) -> dict[str, Any]:
        """Return everything that a feature depends on beside the image, JSON-serialisable.

        Coresets with different identities hold points of different spaces.
        """
        published = known(self.backbone)
        return {
            "backbone": self.backbone,
            "stages": list(self.stages),
            "pool_kernel": self.pool_kernel,
            "pool_stride": self.pool_stride,
            "margin": MARGIN,
            "mean": list(published.mean),
            "std": list(published.std),
            "weights": self.network.stages.weight_hash,
        }

    def forward(self, images: Tensor, for_loss: bool = False) -> Tensor:
        """Return the patch features of a batch.

        Args:
            images: (B, 3, H, W) colour or (B, 1, H, W) grey; uint8 in [0, 255] or float in [0, 1].
            for_loss: whether something is trained on them: features computed in torch's inference
                mode, which is faster, can enter no loss.

        Returns:
            (B, h, w, D) float32 on `device`.

        Raises:
            InputError: too small an image, or values that are not finite.
        """
        batch = self.prepare(images)
        with torch.no_grad() if for_loss else torch.inference_mode():
            if self.accelerator is None:
                return self.network(batch)
            return self._accelerated(batch)

    def prepare(self, images: Tensor) -> Tensor:
        """Check a batch and return it as (B, 3, H, W) float32 in [0, 1], channels-last."""
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            raise InputError(f"images of shape {tuple(images.shape)}: expected (B, 1 or 3, H, W)")
        self.require_size(*images.shape[-2:])
        floating = images.is_floating_point()
        batch = images.to(self.device, torch.float32)
        if not floating:
            batch = batch / 255
        elif not bool(torch.isfinite(batch).all()):
            raise InputError("image holds values that are not finite")
        return batch.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)

    def require_size(self, height: int, width: int) -> None:
        """Raise InputError if an image of this size is smaller than what a patch sees."""
        if min(height, width) < self.smallest_image:
            raise InputError(
                f"image of {width}x{height} pixels is too small: a patch of {self.backbone} "
                f"needs {self.smallest_image} pixels"
            )

    def _accelerated(self, batch: Tensor) -> Tensor:
        key = tuple(batch.shape)
        if key not in self._compiled:
            if len(self._compiled) >= COMPILED_SIZES:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = _compile_openvino(self.network, batch)
        return self._compiled[key](batch).to(self.device)


def _compile_openvino(network: PatchNetwork, example: Tensor) -> Callable[[Tensor], Tensor]:
    """Compile the network for one image size (padding depends on it)."""
    try:
        import openvino
    except ImportError:
        raise InputError("accelerator openvino: pip install openvino") from None
    example = example.cpu()
    with warnings.catch_warnings():  # OpenVINO's reader goes through a deprecated trace
        warnings.simplefilter("ignore")
        converted = openvino.convert_model(
            network.cpu(), example_input=example, input=[tuple(example.shape)]
        )
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(converted, "CPU", options)
    request = compiled.create_infer_request()

    def run(batch: Tensor) -> Tensor:
        result = request.infer({0: batch.cpu().contiguous().numpy()}, share_inputs=True)
        return torch.from_numpy(result[0].copy())

    return run
