"""The first stages of a backbone, frozen, with their weights or an error.

Batch normalisation is folded into the convolutions where that changes nothing, and the memory
layout is channels-last: the same function, three times faster on a processor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from stainless.errors import InputError
from train.backbones.folding import fold_batch_norm
from train.backbones.geometry import PROBE, Reach, Reaches, trace
from train.backbones.known import Backbone, known
from train.backbones.weights import is_filled, read_state, state_hash, weight_file


class Stages(nn.Module):
    """The first stages of a backbone.

    Args:
        name: as `known` takes it.
        stages: which stages to return, counted from 1 (stage n has stride 2**n).
        weights: a `.safetensors` or PyTorch state file, `"random"`, or None for the published
            weights of that backbone.

    Raises:
        InputError: unknown backbone or stage, weights that are missing or do not fit, or a network
            whose stages are no grids of cells over the picture.
    """

    def __init__(self, name: str, stages: tuple[int, ...], weights: str | Path | None) -> None:
        super().__init__()
        backbone = known(name)
        if not stages or len(set(stages)) < len(stages) or not set(stages) <= {1, 2, 3, 4, 5}:
            raise InputError(f"stages {list(stages)}: expected different numbers from 1 to 5")
        build = _EfficientNetTrunk if backbone.efficientnet else _TimmTrunk
        self.trunk = build(name, backbone, tuple(sorted(stages)), weights)
        self.channels: tuple[int, ...] = self.trunk.channels
        #: File of the weights; None for random ones.
        self.source: Path | None = self.trunk.source
        self.requires_grad_(False).eval()
        #: SHA-256 over the tensors in use, as published; the name of these weights.
        self.weight_hash = state_hash(self.trunk.state_dict())
        self._reach = self._fold(name, sorted(stages))
        self.to(memory_format=torch.channels_last)

    def _fold(self, name: str, stages: Sequence[int]) -> Reach:
        """Fold batch normalisations; return what the first cell of the finest stage sees."""
        try:
            geometry = trace(self.trunk)
        except Exception:  # a network made for one size fails in a way of its own
            geometry = None
        if geometry is None or not all(map(_is_stage, stages, geometry.stages, geometry.cells)):
            raise InputError(
                f"{name}: its stages are no grids of cells over a picture of any size; expected a "
                "convolutional network such as timm:resnet18 or timm:convnext_tiny"
            )
        fold_batch_norm(self.trunk, geometry.pairs)
        finest = geometry.stages[0]
        assert finest is not None
        return finest[0]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map normalised (B, 3, H, W) to one (B, C, H / 2**n, W / 2**n) per stage, finest first."""
        found: list[Tensor] = self.trunk(images)
        return found

    def train(self, mode: bool = True) -> Stages:
        """Stay in evaluation mode: a frozen backbone has no other."""
        return super().train(False)

    @property
    def receptive_field(self) -> int:
        """Side in pixels of what one cell of the finest chosen stage sees."""
        return self._reach.side

    @property
    def first_centre(self) -> float:
        """Pixel coordinate that the first cell of the finest chosen stage looks at.

        Symmetric padding puts it on the first pixel, a stem of patches into the middle of the
        first. TensorFlow's padding ("same") shifts the kernels by a cell for even sizes, and
        weights trained with it look back by half of that.
        """
        from timm.layers import Conv2dSame

        same = any(isinstance(module, Conv2dSame) for module in self.modules())
        return self._reach.centre / 2 if same else self._reach.centre


def _is_stage(stage: int, reaches: Reaches | None, cells: tuple[int, ...]) -> bool:
    """Return whether a stage's cells cover the picture, each as fine as its number promises."""
    if reaches is None or reaches[0] != reaches[1]:
        return False
    return reaches[0].pitch == 2**stage and cells == tuple(size // 2**stage for size in PROBE)


class _EfficientNetTrunk(nn.Module):
    """Stem and blocks of a network of the EfficientNet family, as they lie in it."""

    def __init__(
        self, name: str, backbone: Backbone, stages: tuple[int, ...], weights: str | Path | None
    ) -> None:
        super().__init__()
        import timm

        whole = timm.create_model(backbone.architecture, pretrained=False)
        self.source = source = weight_file(name, weights)
        if source is not None:
            state = read_state(source)
            if "features.0.1.weight" in state:
                _set_torchvision_epsilon(whole)
            _load(whole, state, source, name)
        info = timm.create_model(backbone.architecture, pretrained=False, features_only=True)
        modules = {index + 1: row for index, row in enumerate(info.feature_info.get_dicts())}
        ends = {stage: modules[stage]["stage"] for stage in stages}
        self.channels = tuple(modules[stage]["num_chs"] for stage in stages)
        self._ends = set(ends.values())
        self.stem = nn.Sequential(whole.conv_stem, whole.bn1)
        self.blocks = whole.blocks[: max(self._ends)]

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.stem(images)
        found = [x] if 0 in self._ends else []
        for index, block in enumerate(self.blocks, start=1):
            x = block(x)
            if index in self._ends:
                found.append(x)
        return found


class _TimmTrunk(nn.Module):
    """Whatever timm can return the stages of."""

    def __init__(
        self, name: str, backbone: Backbone, stages: tuple[int, ...], weights: str | Path | None
    ) -> None:
        super().__init__()
        import timm

        indices = _stage_indices(name, backbone.architecture)
        if not set(stages) <= set(indices):
            shown = ", ".join(map(str, sorted(indices)))
            raise InputError(f"stages {list(stages)}: {name} has the stages {shown}")
        options = {"features_only": True, "out_indices": [indices[stage] for stage in stages]}
        self.source = source = weight_file(name, weights)
        if source is None:
            network = timm.create_model(backbone.architecture, pretrained=False, **options)
        else:
            state = read_state(source)
            refused = InputError(f"{source}: does not hold the weights of {name}")
            try:
                network = timm.create_model(
                    backbone.architecture,
                    pretrained=True,
                    pretrained_cfg_overlay={"state_dict": dict(state)},
                    **options,
                )
            except Exception:  # each family has its own reader, and its own complaints
                raise refused from None
            if not is_filled(network, state):
                raise refused
        self.channels = tuple(network.feature_info.channels())
        self.network = network

    def forward(self, images: Tensor) -> list[Tensor]:
        return list(self.network(images))


def _stage_indices(name: str, architecture: str) -> dict[int, int]:
    """Return timm's index of each stage, by n of its stride 2**n."""
    import timm

    refused = InputError(
        f"{name}: has no pyramid of stages, each half as fine as the one before; expected a "
        "convolutional network such as timm:resnet18 or timm:convnext_tiny"
    )
    try:
        network = timm.create_model(architecture, pretrained=False, features_only=True)
        strides = network.feature_info.reduction()
    except Exception:  # each family that has no stages says so in its own way
        raise refused from None
    indices = {stride.bit_length() - 1: index for index, stride in enumerate(strides)}
    if len(indices) < 2 or len(indices) < len(strides) or any(s & (s - 1) for s in strides):
        raise refused
    return indices


def _load(model: nn.Module, state: Mapping[str, Tensor], path: Path, name: str) -> None:
    """Load by name, or by order where a publisher named the same tensors otherwise."""
    target = model.state_dict()
    if not target.keys() <= state.keys():
        state = dict(zip(target, state.values(), strict=False))
    for key, tensor in target.items():
        given = state.get(key)
        if given is not None and given.numel() == tensor.numel():
            target[key] = given.reshape(tensor.shape)
        elif not key.startswith(("conv_head", "bn2", "classifier")):
            raise InputError(f"{path}: does not hold the weights of {name} (at {key})")
    model.load_state_dict(target)


def _set_torchvision_epsilon(model: nn.Module) -> None:
    """Torchvision trained the same architecture with another batch-norm epsilon."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3
