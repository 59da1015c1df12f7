"""A coreset on disk: safetensors with a JSON description and a checksum over both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from stainless.errors import InputError
from stainless.files import escaped, write_bytes
from stainless.json_text import parse

FORMAT = "stainless sequential coreset 2"

#: Under which key each format that can be read has its description.
KEYS = {FORMAT: "description", "stainless sequential coreset 1": "facts"}


def write(path: Path, tensors: Mapping[str, np.ndarray], description: Mapping[str, Any]) -> None:
    """Write arrays and their description to `path` atomically.

    Raises:
        OSError: the file cannot be written.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    described = escaped(json.dumps(description, sort_keys=True, ensure_ascii=False))
    metadata = {"format": FORMAT, KEYS[FORMAT]: described, "sha256": checksum(arrays, described)}
    write_bytes(path, save(arrays, metadata))


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the description in a file that `write` made.

    Raises:
        InputError: not such a file, truncated or altered.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    try:
        arrays = load(data)
        length = int.from_bytes(data[:8], "little")
        metadata = parse(data[8 : 8 + length]).get("__metadata__", {})
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path}: not a coreset file, or truncated: {error}") from error
    if metadata.get("format") not in KEYS:
        raise InputError(f"{path}: format is {metadata.get('format')!r}, expected '{FORMAT}'")
    described = metadata.get(KEYS[metadata["format"]], "")
    if metadata.get("sha256") != checksum(arrays, described):
        raise InputError(f"{path}: checksum does not match, the file was altered or damaged")
    return arrays, json.loads(described)


def checksum(arrays: Mapping[str, np.ndarray], described: str) -> str:
    """Return the SHA-256 (hex) of the description and the arrays' names, types, shapes, values."""
    digest = hashlib.sha256(described.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
