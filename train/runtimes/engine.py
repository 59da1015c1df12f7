"""What a runtime is, and how runtimes are found.

A runtime is a module of `train/runtimes/engines/` that describes itself in `ENGINE` and imports
what it runs on only when it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from stainless import plugins
from stainless.errors import InputError

#: Computes all outputs, in the order of the network's, of (B, H, W, 3) uint8 pictures.
Run = Callable[[np.ndarray], list[np.ndarray]]


@dataclass(frozen=True)
class Engine:
    """A program that runs ONNX networks.

    Attributes:
        name: as commands take it, and of the package that it is imported from.
        load: returns what runs a network, given as the bytes of its file; in float32 throughout.
        version: of what is installed.
    """

    name: str
    load: Callable[[bytes], Run]
    version: Callable[[], str]

    @property
    def installed(self) -> bool:
        """Whether it can be used on this machine."""
        return find_spec(self.name) is not None


@cache
def engines() -> dict[str, Engine]:
    """Return every runtime by its name, sorted; imports none of them."""
    modules = plugins.modules("train.runtimes.engines").values()
    found: list[Engine] = [import_module(module).ENGINE for module in modules]
    return {engine.name: engine for engine in sorted(found, key=lambda engine: engine.name)}


def engine(name: str, option: str = "--runtime") -> Engine:
    """Return a runtime.

    Raises:
        InputError: there is none of that name, or it is not installed.
    """
    known = engines()
    if name not in known:
        raise InputError(f"{option}: {name}, expected one of {', '.join(known)}")
    if not known[name].installed:
        raise InputError(f"{option}: {name} is not installed; pip install {name}")
    return known[name]
