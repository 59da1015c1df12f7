"""The flaws there are: the modules of `render.surface.flaws`."""

from __future__ import annotations

from importlib import import_module

from render.surface.flaw import Flaw
from stainless.plugins import modules


def _flaws() -> dict[str, Flaw]:
    """Return the kinds from the lowest layer to the topmost."""
    kinds: dict[str, Flaw] = {
        name: import_module(module).KIND for name, module in modules("render.surface.flaws").items()
    }
    return dict(sorted(kinds.items(), key=lambda entry: entry[1].layer))


#: By the name that scenes and annotations call them.
FLAWS = _flaws()
