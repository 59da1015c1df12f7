"""Which Blender this is, and what it can do."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stainless.errors import InputError

OLDEST = (3, 4)

#: The Python that the bpy wheel is built for.
WHEEL = (3, 11)


@dataclass(frozen=True)
class Blender:
    """The Blender that renders.

    Attributes:
        version: for example `4.5.15`.
        denoiser: whether it was built with Open Image Denoise.
    """

    version: str
    denoiser: bool


def load() -> Any:
    """Import and return `bpy`.

    Raises:
        InputError: there is no usable bpy, or Blender is too old.
    """
    try:
        import bpy
    except ImportError as error:
        missing = str(error).splitlines()[0]
        if ".so" in missing:
            raise InputError(
                f"bpy cannot load a system library ({missing}); on Debian or Ubuntu: apt-get "
                "install libx11-6 libxi6 libxfixes3 libxrender1 libxkbcommon0 libsm6 libgl1"
            ) from None
        if sys.version_info[:2] != WHEEL:
            found, needed = (".".join(map(str, v[:2])) for v in (sys.version_info, WHEEL))
            raise InputError(
                f"rendering needs bpy, whose wheel is for Python {needed} alone and this is "
                f"{found}: use Python {needed}, or start this script with `blender -b -P "
                "render/generate.py -- ...`; all but rendering works here"
            ) from None
        raise InputError(
            "rendering needs Blender: run `pip install 'stainless[render]'` (Python 3.11), "
            "or start this script with `blender -b -P render/generate.py -- ...`"
        ) from None
    if bpy.app.version < OLDEST:
        raise InputError(
            f"Blender {bpy.app.version_string} is too old: expected "
            f"{'.'.join(map(str, OLDEST))} or newer"
        )
    return bpy


def describe() -> Blender:
    """Return the version and abilities of the Blender at hand."""
    bpy = load()
    # Blender says in no documented place whether it was built with Open Image Denoise; its own
    # Cycles add-on asks this module.
    cycles = importlib.import_module("_cycles")
    denoiser = bool(getattr(cycles, "with_openimagedenoise", False))
    return Blender(".".join(map(str, bpy.app.version)), denoiser)


def restart(script: Path, argv: list[str]) -> list[str]:
    """Return the command that starts a script anew, in the Blender that runs this one."""
    app = load().app
    if getattr(app, "module", False) or not app.binary_path:
        return [sys.executable, str(script), *argv]
    return [app.binary_path, "-b", "-P", str(script), "--", *argv]
