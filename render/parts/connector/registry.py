"""The kinds of flaws there are: the modules of `render.parts.connector.flaws`."""

from __future__ import annotations

from importlib import import_module

from render.parts.connector.flaw import ConnectorFlaw
from stainless.plugins import modules


def _flaws() -> dict[str, ConnectorFlaw]:
    """Return the kinds in the order of their classes."""
    kinds: dict[str, ConnectorFlaw] = {
        name: import_module(module).KIND
        for name, module in modules("render.parts.connector.flaws").items()
    }
    return dict(sorted(kinds.items(), key=lambda entry: entry[1].index))


#: By the name that scenes and annotations call them.
FLAWS = _flaws()
