"""This project's backbones under a name by which anomalib's models can build them.

Their constructors take the name of an architecture that timm knows, and some fetch its weights from
the network. So what is to be built is registered with timm under a name of its own, and is built
here, from weights that are on this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from timm.models import FeatureInfo, register_model
from torch import nn

from train.backbones import Stages, known, published_weights
from train.detectors.anomalib.detector import Adapter, Network
from train.detectors.anomalib.pictures import Preparation

#: timm adds to it what it registers, or makes one that holds nothing else.
__all__ = ["STAGES", "OnOurBackbone", "built_from"]

S = TypeVar("S", bound=Any)

_BUILD: ContextVar[Callable[..., nn.Module]] = ContextVar("build")


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

    token = _BUILD.set(build)
    try:
        yield
    finally:
        _BUILD.reset(token)


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
        return Preparation(self.settings.side, backbone.mean, backbone.std, channels_last=True)

    def identity(self, model: Network) -> str | None:
        """Return the hash of the stages' weights."""
        stages = next(module for module in model.modules() if isinstance(module, Stages))
        return stages.weight_hash
