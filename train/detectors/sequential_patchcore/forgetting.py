"""Members of some classes taken out of a coreset, and how near that is to their never having been.

See `decisions.py` for when it is the same to the letter. Where it is not, the members that they
had displaced or kept out do not come back; a fit that is not shown these patches (the setting
`without`) is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stainless.errors import InputError
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.crops import encoded, packed


@dataclass(frozen=True)
class Forgotten:
    """What forgetting did.

    Attributes:
        members: how many are gone.
        left: how many are left.
        hinged: decisions on other patches that rested on what is gone, see `decisions.py`; None
            where not all decisions were counted.
    """

    members: int
    left: int
    hinged: int | None

    @property
    def exact(self) -> bool:
        """Whether all is as if their patches had never been shown."""
        return self.hinged == 0

    def __str__(self) -> str:
        line = f"{self.members} members forgotten, {self.left} left"
        if self.exact:
            return f"{line}: exactly as if their patches had never been shown"
        if self.hinged is None:
            return (
                f"{line}; how exact is not known: the model is of a version that did not count "
                "what rested on them, or has forgotten others before"
            )
        return (
            f"{line}; not exact: {self.hinged:,} decisions rested on them, and what they had "
            "displaced or kept out does not come back"
        )


def forget(coreset: Coreset, names: Sequence[str]) -> tuple[Coreset, Forgotten]:
    """Return a coreset without the members of some classes; the given one stays as it is.

    A full one shrinks to the places that are left, one with free places keeps its size.

    Args:
        coreset: whose members know their classes.
        names: of classes, or of ways in which pictures were made.

    Raises:
        InputError: nobody answers to a name, or fewer than two members would be left.
    """
    notes = coreset.notes
    for name in names:
        notes.require_class(name, "--class")
    gone = notes.members_of(names, len(coreset))
    numbers = notes.classes.answering(names)
    hinged = notes.decisions.hinged(numbers) if notes.decisions.whole else None
    done = Forgotten(int(gone.sum()), int((~gone).sum()), hinged)
    if done.left < 2:
        raise InputError(f"--class: {', '.join(names)} would leave {done.left} members, expected 2")
    arrays, state = coreset.state()
    kept = {name: arrays[name][~gone] for name in ("members", "order", "provenance", "classes")}
    if "crops" in arrays:
        crops = [encoded(notes.crops[k]) for k in np.flatnonzero(~gone)]
        kept["crops"], kept["crop_lengths"] = packed(crops)
    event = {
        "event": "forget",
        "classes": list(names),
        "members": done.members,
        "hinged": hinged,
    }
    state = {
        **state,
        "size": done.left if len(coreset) == coreset.size else coreset.size,
        "sources": notes.sources.used(kept["provenance"]),
        "decisions": notes.decisions.without(numbers).to_json(),
        "history": [*state["history"], event],
    }
    return Coreset.from_state(kept, state, device=coreset.device), done
