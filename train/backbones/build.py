"""From settings of features to the module that computes them."""

from __future__ import annotations

from pathlib import Path

from stainless.errors import InputError
from train.backbones.joined import JoinedNetwork
from train.backbones.picture_network import PictureNetwork
from train.backbones.pyramid import PatchNetwork
from train.backbones.scaled import ScaledNetwork
from train.backbones.tokens import TokenNetwork
from train.backbones.transformer import is_transformer
from train.backbones.weights import RANDOM
from train.feature_settings import Features


def picture_network(features: Features, weights: str | Path | None) -> PictureNetwork:
    """Return the module that maps pictures to features.

    Args:
        features: its settings, valid.
        weights: as for `weights.weight_file`; a single file is of a single network.

    Raises:
        InputError: unknown networks, stages or blocks, settings that have no effect on them, or
            weights that are missing or do not fit.
    """
    names = features.networks
    transformers = [name for name in names if is_transformer(name)]
    if not transformers:
        for key in ("blocks", "window_px", "window_stride_px"):
            value = getattr(features, key)
            if value not in ((), None):
                shown = list(value) if isinstance(value, tuple) else value
                raise InputError(
                    f"{key} {shown}: {features.backbone} has none, expected a vision transformer "
                    "such as timm:vit_small_patch14_dinov2"
                )
    if len(names) == 1:
        network = _single(names[0], features, features.pool_stride, weights)
    else:
        if weights is not None and str(weights) != RANDOM and not Path(weights).is_dir():
            raise InputError(
                f"{weights}: is no folder; {features.backbone} takes one with a weight file for "
                "each of its networks, named as it"
            )
        networks = [_single(name, features, 1, weights) for name in names]
        blocks = {
            network.transformer.blocks for network in networks if isinstance(network, TokenNetwork)
        }
        if len(blocks) > 1:
            raise InputError(
                f"blocks []: the networks of {features.backbone} are of different depth, expected "
                "blocks that all of them have"
            )
        network = JoinedNetwork(networks, features.parts, features.pool_stride)
    return network if features.scale == 1 else ScaledNetwork(network, features.scale)


def _single(
    name: str, features: Features, pool_stride: int, weights: str | Path | None
) -> PictureNetwork:
    if is_transformer(name):
        return TokenNetwork(
            name,
            features.blocks,
            pool_stride,
            features.window_px,
            features.window_stride_px,
            weights,
        )
    return PatchNetwork(name, features.stages, features.pool_kernel, pool_stride, weights)
