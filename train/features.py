"""Patch features: what pictures are compared by, one vector at each place of a grid.

What computes them is in `train.backbones`; here pictures are checked on their way there.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from stainless.errors import InputError
from train.backbones import RANDOM
from train.backbones.build import picture_network
from train.backbones.picture_network import PictureNetwork
from train.feature_settings import NAMES, Features
from train.patch_grid import PatchGrid

#: Compiled networks kept per extractor; one per image size.
COMPILED_SIZES = 4


class FeatureExtractor(nn.Module):
    """Frozen extractor of patch features from images of any size.

    Args:
        backbone: and further settings up to `shares`: those of `train.feature_settings.Features`.
        weights: a state file, or a folder of them; None for the published weights; `"random"` for
            measuring speed and nothing else.
        device: where to compute.
        accelerator: `"openvino"` computes with OpenVINO on the processor, one compilation per
            image size; None with PyTorch.

    Raises:
        InputError: an argument out of its range, or missing weights.
    """

    def __init__(
        self,
        backbone: str = Features.backbone,
        stages: Sequence[int] = Features.stages,
        pool_kernel: int = Features.pool_kernel,
        pool_stride: int = Features.pool_stride,
        weights: str | Path | None = None,
        device: str | torch.device = "cpu",
        accelerator: str | None = None,
        *,
        blocks: Sequence[int] = Features.blocks,
        window_px: int | None = None,
        window_stride_px: int | None = None,
        scale: float = Features.scale,
        shares: Sequence[float] = Features.shares,
    ) -> None:
        super().__init__()
        self.settings = Features(
            backbone,
            tuple(sorted(stages)),
            pool_kernel,
            pool_stride,
            tuple(sorted(blocks)),
            window_px,
            window_stride_px,
            scale,
            tuple(shares),
        )
        self.settings.check()
        if accelerator not in (None, "openvino"):
            raise InputError(f"unknown accelerator '{accelerator}'; known: openvino")
        if accelerator is not None and scale < 1:
            raise InputError(
                f"scale {scale}: {accelerator} reduces pictures otherwise than PyTorch, expected 1 "
                "or more with it"
            )
        self.backbone = backbone
        self.untrained = str(weights) == RANDOM
        self.network = picture_network(self.settings, weights)
        self.network.to(device)
        self.accelerator = accelerator
        self._compiled: dict[tuple[int, ...], Callable[[Tensor], Tensor]] = {}

    @classmethod
    def of(
        cls,
        settings: Features,
        weights: str | Path | None = None,
        device: str | torch.device = "cpu",
        accelerator: str | None = None,
    ) -> Self:
        """Return the extractor of settings, which may be those of a method.

        Raises:
            InputError: as for the class.
        """
        chosen = {name: getattr(settings, name) for name in NAMES}
        return cls(**chosen, weights=weights, device=device, accelerator=accelerator)

    @property
    def dimension(self) -> int:
        """Length D of a patch feature."""
        return self.network.dimension

    @property
    def device(self) -> torch.device:
        """Where the features are computed."""
        return next(self.network.buffers()).device

    @property
    def smallest_image(self) -> int:
        """Smallest side of an image in pixels."""
        return self.network.smallest_image

    @property
    def pitch(self) -> float:
        """Distance in pixels between the centres of neighbouring patches; whole without scaling."""
        return self.network.pitch

    @property
    def first_centre(self) -> float:
        """Pixel coordinate, 0 being the centre of the first pixel, where the first patch lies."""
        return self.network.first_centre

    @property
    def grid(self) -> PatchGrid:
        """Where the patches lie."""
        return PatchGrid(self.first_centre, self.pitch)

    def identity(self) -> dict[str, Any]:
        """Return everything that a feature depends on beside the image, JSON-serialisable.

        Coresets with different identities hold points of different spaces.
        """
        return {"backbone": self.backbone, **self.network.identity()}

    def pretrained(self) -> list[dict[str, Any]]:
        """Return the weights in use, JSON-able: see `train.backbones.origins.described`."""
        return self.network.pretrained()

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
                f"image of {width}x{height} pixels is too small: {self.network.sees} of "
                f"{self.backbone} needs {self.smallest_image} pixels"
            )

    def _accelerated(self, batch: Tensor) -> Tensor:
        key = tuple(batch.shape)
        if key not in self._compiled:
            if len(self._compiled) >= COMPILED_SIZES:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = _compile_openvino(self.network, batch)
        return self._compiled[key](batch).to(self.device)


def _compile_openvino(network: PictureNetwork, example: Tensor) -> Callable[[Tensor], Tensor]:
    """Compile the network for one image size (padding depends on it)."""
    try:
        import openvino
    except ImportError:
        raise InputError("accelerator openvino: pip install openvino") from None
    example = example.cpu()
    network = network.cpu().for_size(*example.shape[-2:])
    with warnings.catch_warnings():  # OpenVINO's reader goes through a deprecated trace
        warnings.simplefilter("ignore")
        converted = openvino.convert_model(
            network, example_input=example, input=[tuple(example.shape)]
        )
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(converted, "CPU", options)
    request = compiled.create_infer_request()

    def run(batch: Tensor) -> Tensor:
        result = request.infer({0: batch.cpu().contiguous().numpy()}, share_inputs=True)
        return torch.from_numpy(result[0].copy())

    return run
