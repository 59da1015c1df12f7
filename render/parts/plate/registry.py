"""The flaws there are: the modules of `render.parts.plate.flaws`."""

from __future__ import annotations

from importlib import import_module

from render.parts.plate.flaw import SurfaceFlaw
from stainless.plugins import modules


def _flaws() -> dict[str, SurfaceFlaw]:
    """Return the kinds from the lowest layer to the topmost."""
    kinds: dict[str, SurfaceFlaw] = {
        name: import_module(module).KIND
        for name, module in modules("render.parts.plate.flaws").items()
    }
    return dict(sorted(kinds.items(), key=lambda entry: entry[1].layer))


#: By the name that scenes and annotations call them.
FLAWS = _flaws()
