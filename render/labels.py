"""The classes of the annotations."""

from __future__ import annotations

from collections.abc import Collection

from impurities.registry import IMPURITIES
from render.surface.registry import FLAWS

_INDICES = {name: kind.index for name, kind in IMPURITIES.items()}
_INDICES |= {name: kind.index for name, kind in FLAWS.items()}

#: Index of each class in the annotations, in rising order; 0 is the bare surface.
CLASS_INDEX = dict(sorted(_INDICES.items(), key=lambda entry: entry[1]))


def class_table(switched_on: Collection[str]) -> dict[str, object]:
    """Return what `classes.json` says of the annotations' indices.

    Args:
        switched_on: the kinds of impurity and defect that a scene can show.
    """
    names = [
        {"index": index, "name": name, "kind": "defect" if name in FLAWS else "impurity"}
        for name, index in CLASS_INDEX.items()
        if name in switched_on
    ]
    return {"classes": names}
