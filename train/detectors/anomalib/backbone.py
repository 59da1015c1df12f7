"""This project's backbones under a name by which anomalib's models can build them.

Their constructors take the name of an architecture that timm knows, and some fetch its weights from
the network. So what is to be built is registered with timm under a name of its own, and is built
here, from weights that are on this machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from timm.models import FeatureInfo, register_model
from torch import Tensor, nn

from stainless.errors import InputError
from train.backbones import Stages, known, published_weights
from train.backbones.build import picture_network
from train.backbones.picture_network import PictureNetwork
from train.backbones.pyramid import MARGIN
from train.backbones.transformer import patch_of
from train.detectors.anomalib.detector import Adapter, Network
from train.detectors.anomalib.pictures import Preparation
from train.feature_settings import JOIN, NAMES, Features

#: timm adds to it what it registers, or makes one that holds nothing else.
__all__ = ["STAGES", "OnOurBackbone", "OnOurFeatures", "built_from"]

S = TypeVar("S", bound=Any)

_BUILD: ContextVar[Callable[..., nn.Module]] = ContextVar("build")


class _OneLayer(nn.Module):
    """All features of pictures in [0, 1] as the one layer of a network."""

    def __init__(self, network: PictureNetwork) -> None:
        super().__init__()
        self.network = network
        described = {"num_chs": network.dimension, "reduction": int(network.pitch), "module": "all"}
        self.feature_info = FeatureInfo([described], (0,))

    def forward(self, pictures: Tensor) -> list[Tensor]:
        return [self.network(pictures).permute(0, 3, 1, 2).contiguous()]


@contextmanager
def _built_by(build: Callable[..., nn.Module]) -> Iterator[None]:
    token = _BUILD.set(build)
    try:
        yield
    finally:
        _BUILD.reset(token)


@contextmanager
def built_from(backbone: str, weights: Path | None) -> Iterator[None]:
    """Let anomalib's models build the stages of a backbone where they ask for `STAGES`.

    Args:
        backbone: as for `Stages`.
        weights: its weight file; None for the published ones.
    """

    def build(out_indices: Sequence[int]) -> nn.Module:
        stages = Stages(backbone, tuple(out_indices), weights)
        rows = zip(stages.channels, sorted(out_indices), strict=True)
        described = [
            {"num_chs": channels, "reduction": 2**stage, "module": f"stage{stage}"}
            for channels, stage in rows
        ]
        stages.feature_info = FeatureInfo(described, tuple(range(len(described))))
        return stages

    with _built_by(build):
        yield


@register_model
def stainless_backbone(out_indices: Sequence[int] = (3, 4), **ignored: Any) -> nn.Module:
    """Build the stages of the backbone of `built_from`, for timm's `create_model`.

    Args:
        out_indices: stages counted from 1.
        ignored: what timm and anomalib say about pretrained weights and export.

    Raises:
        InputError: the weights are missing.
    """
    del ignored
    return _BUILD.get()(out_indices)


#: The name that anomalib's models are to be built with; its layers are stage numbers.
STAGES = stainless_backbone.__name__


class OnOurBackbone(Adapter[S]):
    """A method whose features come from one of this project's backbones."""

    FROZEN = ("feature_extractor",)

    def weight_file(self) -> Path | None:
        """Return the weight file that was given, or the published one.

        Raises:
            InputError: no such backbone, or its weights are not on this machine.
        """
        known(self.settings.backbone)
        return self.context.weights or published_weights(self.settings.backbone)

    def prepare(self) -> Preparation:
        """Normalise as the backbone was trained."""
        backbone = known(self.settings.backbone)
        return Preparation(
            self.settings.side,
            backbone.mean,
            backbone.std,
            channels_last=True,
            scale=getattr(self.settings, "scale", 1.0),
        )

    def identity(self, model: Network) -> str | None:
        """Return the hash of the stages' weights."""
        stages = next(module for module in model.modules() if isinstance(module, Stages))
        return stages.weight_hash


class OnOurFeatures(OnOurBackbone[S]):
    """One that takes a transformer too, or several networks joined on one grid, as one layer."""

    @property
    def feature_settings(self) -> Features:
        """The settings of the features."""
        mine = self.settings
        return Features(**{name: getattr(mine, name) for name in NAMES if hasattr(mine, name)})

    @property
    def patch_sides(self) -> list[int]:
        """Sides of the transformers' patches."""
        found = [patch_of(name) for name in self.feature_settings.networks]
        return [patch for patch in found if patch is not None]

    @property
    def is_layered(self) -> bool:
        """Whether the features are those of a convolutional network's stages."""
        return not self.patch_sides and JOIN not in self.settings.backbone

    @property
    def layers(self) -> list[int]:
        """The layers that anomalib's model is built with."""
        return sorted(self.settings.stages) if self.is_layered else [0]

    @contextmanager
    def built(self) -> Iterator[None]:
        """Let anomalib's models build these features where they ask for `STAGES`.

        Raises:
            InputError: they cannot be had.
        """
        features = self.feature_settings
        features.check()
        if not self.is_layered:
            network = picture_network(features, self.context.weights)
            with _built_by(lambda layers: _OneLayer(network)):
                yield
            return
        # What has no effect on stages is refused as elsewhere.
        for key in ("blocks", "window_px", "window_stride_px", "shares"):
            if getattr(features, key) not in ((), None):
                raise InputError(
                    f"--{self.NAME}.{key}: has no effect on {features.backbone}, expected a vision "
                    "transformer such as timm:vit_small_patch14_dinov2"
                )
        with built_from(features.backbone, self.context.weights):
            yield

    def weight_file(self) -> Path | None:
        """Return what was given, or the published file of a single convolutional network."""
        return super().weight_file() if self.is_layered else self.context.weights

    def prepare(self) -> Preparation:
        """Leave it to the features to normalise; whole patches, so that the map fits."""
        if self.is_layered:
            return super().prepare()
        features = self.feature_settings
        convolutional = len(self.patch_sides) < len(features.networks)
        stages = features.stages if convolutional else (0,)
        return Preparation(
            self.settings.side,
            (0.0, 0.0, 0.0),
            (1.0, 1.0, 1.0),
            multiple=math.lcm(2 ** min(stages), *self.patch_sides),
            least=max(features.window_px or 0, MARGIN + 2 ** max(stages)),
            channels_last=True,
        )

    def identity(self, model: Network) -> str | None:
        """Return the hash of the weights in use."""
        if self.is_layered:
            return super().identity(model)
        layer = next(module for module in model.modules() if isinstance(module, _OneLayer))
        return str(layer.network.identity()["weights"])
