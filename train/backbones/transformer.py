"""Blocks of a frozen vision transformer: patch tokens on the grid of its patches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stainless.errors import InputError
from train.backbones.focus import read_onnx
from train.backbones.known import known
from train.backbones.weights import is_filled, read_state, state_hash, weight_file


def is_transformer(name: str) -> bool:
    """Return whether a backbone is a plain vision transformer that takes pictures of any size.

    Raises:
        InputError: there is none of that name.
    """
    return patch_of(name) is not None


def patch_of(name: str) -> int | None:
    """Return the side in pixels of a transformer's patches; None for any other network.

    Raises:
        InputError: there is none of that name.
    """
    network = _outline(name)
    return None if network is None else int(network.patch_embed.patch_size[0])


def depth_of(name: str) -> int:
    """Return the number of a transformer's blocks; 0 for any other network.

    Raises:
        InputError: there is none of that name.
    """
    network = _outline(name)
    return 0 if network is None else len(network.blocks)


@lru_cache
def _outline(name: str) -> Any:
    """Return a transformer without values; None for any other network."""
    backbone = known(name)
    if backbone.efficientnet:
        return None
    import timm

    try:
        with torch.device("meta"):
            network = timm.create_model(backbone.architecture, dynamic_img_size=True, num_classes=0)
    except Exception:  # a network of another kind does not know the option
        return None
    wanted = ("blocks", "patch_embed", "forward_intermediates")
    return network if all(hasattr(network, attribute) for attribute in wanted) else None


class Transformer(nn.Module):
    """The first blocks of a vision transformer, up to the last that is used.

    Args:
        name: as `known` takes it.
        blocks: whose tokens to return, counted from 0; none for those at half and at three quarters
            of the depth.
        weights: a `.safetensors` or PyTorch state file, `"random"`, or None for the published
            weights.

    Raises:
        InputError: no transformer of that name, a block that is not there, or weights that are
            missing or do not fit.
    """

    def __init__(
        self, name: str, blocks: Sequence[int] = (), weights: str | Path | None = None
    ) -> None:
        super().__init__()
        if not is_transformer(name):
            raise InputError(
                f"{name}: is no vision transformer that takes pictures of any size; expected one "
                "such as timm:vit_small_patch14_dinov2"
            )
        #: File of the weights; None for random ones.
        self.source = weight_file(name, weights)
        network = _network(name, self.source)
        depth = len(network.blocks)
        self.blocks = tuple(sorted(blocks)) or (depth // 2 - 1, depth * 3 // 4 - 1)
        if len(set(self.blocks)) < len(self.blocks) or not set(self.blocks) <= set(range(depth)):
            raise InputError(
                f"blocks {list(blocks)}: expected different numbers from 0 to {depth - 1}, "
                f"the blocks of {name}"
            )
        network.prune_intermediate_layers(list(self.blocks), prune_norm=True, prune_head=True)
        self.network = network
        #: Side in pixels of what becomes one token.
        self.patch: int = network.patch_embed.patch_size[0]
        self.channels = (network.num_features,) * len(self.blocks)
        self.requires_grad_(False).eval()
        #: SHA-256 over the tensors in use.
        self.weight_hash = state_hash(network.state_dict())

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map normalised (B, 3, H, W) to one (B, C, H / patch, W / patch) per block."""
        found: list[Tensor] = self.network.forward_intermediates(
            images, indices=list(self.blocks), stop_early=True, intermediates_only=True
        )
        return found

    def train(self, mode: bool = True) -> Transformer:
        """Stay in evaluation mode: a frozen backbone has no other."""
        return super().train(False)


def _network(name: str, source: Path | None) -> Any:
    """Return a whole transformer, without its head, that holds the weights of a file."""
    import timm

    architecture, options = known(name).architecture, {"dynamic_img_size": True, "num_classes": 0}
    if source is None:
        return timm.create_model(architecture, pretrained=False, **options)
    state = read_onnx(source) if source.suffix == ".onnx" else read_state(source)
    refused = InputError(f"{source}: does not hold the weights of {name}")
    try:
        network = timm.create_model(
            architecture,
            pretrained=True,
            pretrained_cfg_overlay={"state_dict": dict(state)},
            **options,
        )
    except Exception:  # each family has its own reader, and its own complaints
        raise refused from None
    if not is_filled(network, state):
        raise refused
    return network
