"""Stainless: what rendering and training both stand on, and the command that leads to either.

Rendering and training share nothing but the dataset on disk; this package holds the little that
both need to agree on it: how an error is reported, how a file is written, how numbers are hashed.

    from stainless import Detector

gives the Python interface of docs/api.md; it is imported when it is asked for.
"""

from typing import Any

__all__ = ["Detector"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Return `Detector`, which needs torch and all of the training half, on use."""
    if name != "Detector":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module("train.api").Detector
