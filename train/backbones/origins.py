"""Which weights are in use: their file, its hash, where they come from and under which licence."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from train.backbones.known import known

#: What is known of the licence of weights that a user gives.
GIVEN = "of the given file"


def described(name: str, source: Path | None) -> dict[str, Any]:
    """Return what is known of a network's weights, JSON-able.

    Args:
        name: of the network.
        source: file that they were read from; None for random ones.

    Returns:
        "name"; "file", its name without a folder, and "sha256" of its bytes; "origin" and
        "licence" of the published weights, which a given file may not be.
    """
    found: dict[str, Any] = {"name": name}
    if source is None:
        return {**found, "file": None, "sha256": None, "origin": "random", "licence": None}
    backbone = known(name)
    origin = backbone.origin or (f"huggingface.co/{backbone.hub}" if backbone.hub else None)
    return {
        **found,
        "file": source.name,
        "sha256": _sha256(source, source.stat().st_size, source.stat().st_mtime_ns),
        "origin": origin,
        "licence": backbone.licence,
    }


def line(weights: dict[str, Any]) -> str:
    """Return what `described` found, in a line."""
    if weights["sha256"] is None:
        return f"weights: {weights['name']}, random"
    licence = weights["licence"] or "licence not stated"
    origin = f" of {weights['origin']}" if weights["origin"] else ""
    return (
        f"weights: {weights['name']}, {weights['file']}{origin}, "
        f"sha256 {weights['sha256']}, licence {licence}"
    )


@lru_cache
def _sha256(path: Path, size: int, time_ns: int) -> str:
    """Return the SHA-256 of a file's bytes (hex); an unchanged file is read once."""
    del size, time_ns
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
