"""The state of an unfinished training on disk: whole or not there, read without running code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from stainless.files import replacing

#: Changes whenever what a checkpoint holds is read differently.
FORMAT = "stainless training 1"
FILE = "training.pt"


def save(folder: Path, identity: dict[str, Any], state: dict[str, Any]) -> None:
    """Write the state of a training atomically.

    Args:
        folder: made if it is missing.
        identity: JSON-able, all that the result depends on.
        state: tensors, numbers and text, in mappings and lists.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(folder / FILE) as beside:
        torch.save({"format": FORMAT, "identity": identity, "state": state}, beside)


def load(folder: Path, identity: dict[str, Any]) -> dict[str, Any] | None:
    """Return the state that a training of the same identity has left, None if there is none."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        whole = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch raises a dozen types for a file that is none of its own
        return None
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        return None
    state: dict[str, Any] | None = whole["state"] if whole["identity"] == identity else None
    return state
