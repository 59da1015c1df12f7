"""The classes of the annotations."""

from __future__ import annotations

from collections.abc import Collection

from impurities.registry import IMPURITIES
from render.surface.registry import DEFECTS

#: Defects count from here, so that a new impurity renumbers none.
FIRST_DEFECT = 101

#: Index of each class in the annotations; 0 is the bare surface.
CLASS_INDEX = {
    **{name: place for place, name in enumerate(IMPURITIES, start=1)},
    **{name: place for place, name in enumerate(DEFECTS, start=FIRST_DEFECT)},
}


def class_table(switched_on: Collection[str]) -> dict[str, object]:
    """Return what `classes.json` says of the annotations' indices.

    Args:
        switched_on: the kinds of impurity and defect that a scene can show.
    """
    names = [
        {"index": index, "name": name, "kind": "defect" if name in DEFECTS else "impurity"}
        for name, index in CLASS_INDEX.items()
        if name in switched_on
    ]
    return {"classes": names}
