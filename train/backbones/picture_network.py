"""What is common to the modules that map pictures to patch features, of whatever networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from train.backbones.known import known


class PictureNetwork(nn.Module):
    """Pictures to patch features, free of checks, so that it can be exported or compiled.

    `forward` maps (B, 3, H, W) in [0, 1] to (B, h, w, D).

    Attributes:
        channels: length of the feature of each layer, which follow one another; D together.
        pitch: distance in pixels between the centres of neighbouring patches.
        first_centre: pixel coordinate, 0 being the centre of the first pixel, of the first patch.
        smallest_image: smallest side in pixels of a picture.
        sees: what needs so many pixels, for messages.
        is_unit: whether its features are on the scale of `unit_layers`.
    """

    channels: tuple[int, ...]
    pitch: float
    first_centre: float
    smallest_image: int
    sees: str = "a patch"
    is_unit: bool = False

    @property
    def dimension(self) -> int:
        """Length D of a patch feature."""
        return sum(self.channels)

    def for_size(self, height: int, width: int) -> PictureNetwork:
        """Return a network that computes the same of pictures of one size, with less to convert.

        What depends on the size alone, such as interpolated position embeddings, is a constant of
        it: a converter need not know the operation, nor have it exactly as PyTorch has.
        """
        del height, width
        return self

    def identity(self) -> dict[str, Any]:
        """Return all that a feature depends on, JSON-able, beside the names of the networks."""
        raise NotImplementedError

    def pretrained(self) -> list[dict[str, Any]]:
        """Return the weights in use, JSON-able: see `origins.described`."""
        raise NotImplementedError


class NormalisingNetwork(PictureNetwork):
    """One with a single backbone, which wants pictures normalised as in its training."""

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: str) -> None:
        super().__init__()
        self.backbone = backbone
        published = known(backbone)
        for name, values in (("mean", published.mean), ("std", published.std)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def identity(self) -> dict[str, Any]:
        """Return mean and standard deviation."""
        published = known(self.backbone)
        return {"mean": list(published.mean), "std": list(published.std)}
