"""One file with all that a verdict needs: an ONNX network whose entry holds everything else.

ONNX Runtime and OpenVINO both read it as it is, so that there is one kind of file for both.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stainless.errors import InputError
from stainless.files import escaped, write_bytes
from train.runtimes.onnx_bytes import joined, split

#: Name of the entry, and version of what is in it and of the network's inputs and outputs.
FORMAT, VERSION = "stainless exported model", 1

#: Name of the network's one input, (B, H, W, 3) uint8 RGB.
INPUT = "pictures"

Metadata = dict[str, Any]


@dataclass(frozen=True)
class ExportedFile:
    """What an exported file holds.

    Attributes:
        network: ONNX, from uint8 pictures to scores; preparation of pictures included.
        runtime: name of the runtime that scores with it unless another is asked for.
        method: name of the method.
        settings: plain values of its settings.
        metadata: of the model, see `train.detectors.model_file.Model`.
        thresholds: of the model, calibration scores of a guarantee included.
        calibration: of the model, from scores to probabilities; empty without one.
        outputs: names of the network's outputs, see `train.detectors.exportable.Graph`, as are
            the next three.
        smallest: shortest side of a picture.
        size: the only height and width, or None for any.
        members: what is known of each member.
        grid: "first" and "pitch" of the patches, or None.
        weights: name, file, SHA-256, licence and class of licence of each pretrained network.
        fitted_on: SHA-256 of the description of what the model was fitted to.
        model: SHA-256 of the model file that this one was made of.
        references: pictures with their scores by PyTorch, see `train.runtimes.references`.
        report: what was converted by what, what was compared, and what cannot be held.
    """

    network: bytes
    runtime: str
    method: str
    settings: Metadata
    metadata: Metadata
    thresholds: dict[str, Metadata]
    calibration: Metadata
    outputs: list[str]
    smallest: int
    size: list[int] | None
    members: list[Metadata | None]
    grid: Metadata | None
    weights: list[Metadata]
    fitted_on: str
    model: str | None
    references: list[Metadata]
    report: Metadata = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the file atomically.

        Raises:
            OSError: the file cannot be written.
        """
        content = {key: value for key, value in asdict(self).items() if key != "network"}
        whole = {"version": VERSION, **content, "sha256": _checksum(self.network, content)}
        write_bytes(path, joined(self.network, {FORMAT: _text(whole)}))


def is_exported(path: Path) -> bool:
    """Return whether a file is an exported model, or at least says so by its ending."""
    if path.suffix.lower() == ".onnx":
        return True
    try:
        return FORMAT in split(path.read_bytes())[1]
    except (OSError, ValueError):
        return False


def read_exported(path: Path) -> ExportedFile:
    """Read an exported file.

    Raises:
        InputError: no such file, of another version, truncated or altered.
        OSError: the file cannot be read.
    """
    try:
        network, entries = split(path.read_bytes())
        text = entries.get(FORMAT)
        content = None if text is None else json.loads(text)
    except ValueError:
        raise InputError(f"{path}: not an exported model, or a truncated one") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: not made by `stainless export`, which keeps verdicts in it")
    version = content.pop("version", None)
    if version != VERSION:
        raise InputError(
            f"{path}: is of version {version} of the exported format, this program reads version "
            f"{VERSION}; export the model again"
        )
    if content.pop("sha256", None) != _checksum(network, content):
        raise InputError(f"{path}: checksum does not match, the file was altered or damaged")
    return ExportedFile(network=network, **content)


def _text(content: Metadata) -> str:
    """Return JSON that is the same for the same content in the same order, which JSON keeps."""
    return escaped(json.dumps(content, ensure_ascii=False))


def _checksum(network: bytes, content: Metadata) -> str:
    digest = hashlib.sha256(network)
    digest.update(_text(content).encode())
    return digest.hexdigest()
