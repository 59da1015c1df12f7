"""The impurities there are: the folders of this package that have a `kind.py`."""

from __future__ import annotations

from importlib import import_module

from impurities.impurity import Impurity
from stainless.plugins import folders


def _impurities() -> dict[str, Impurity]:
    """Return the kinds from the lowest layer to the topmost."""
    kinds: dict[str, Impurity] = {
        name: import_module(module).KIND for name, module in folders("impurities", "kind").items()
    }
    return dict(sorted(kinds.items(), key=lambda entry: entry[1].layer))


#: By the name that scenes and annotations call them.
IMPURITIES = _impurities()
