"""The members of a coreset in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from stainless.dataset.made import UNKNOWN
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.member_class import MemberClass
from train.detectors.sequential_patchcore.provenance import Origin
from train.detectors.sequential_patchcore.weighing import member_weights


def described(known: MemberClass, origin: Origin) -> str:
    """Return what a member is, such as "fingerprint, rendered, plate 12"."""
    words = [known.name.replace("_", " "), known.made, origin.part or UNKNOWN]
    if origin.part is None:
        words[2] = f"{origin.dataset} {origin.image}"
    return ", ".join(word for word in words if word != UNKNOWN)


def listed(coreset: Coreset) -> list[dict[str, Any]]:
    """Return, for each class that was ever shown, JSON-able, the most members first.

    Returns:
        "class", "made", "members", "weight", "hinged" (decisions on other patches that rested on
        it; None where they are not all known) and "datasets" with the members seen in each.
    """
    notes = coreset.notes
    weights = member_weights(coreset)
    numbers = notes.class_of[: len(coreset)]
    rows = []
    for number, entry in enumerate(notes.classes.entries):
        here = np.flatnonzero(numbers == number)
        if not len(here) and not number:
            continue
        origins = [coreset.origin(int(member)) for member in here]
        datasets = [UNKNOWN if origin is None else origin.dataset for origin in origins]
        rows.append(
            {
                "class": entry.name,
                "made": entry.made,
                "members": len(here),
                "weight": float(weights[here[0]]) if len(here) else 1.0,
                "hinged": notes.decisions.hinged([number]) if notes.decisions.whole else None,
                "datasets": {name: datasets.count(name) for name in sorted(set(datasets))},
            }
        )
    return sorted(rows, key=lambda row: -row["members"])
