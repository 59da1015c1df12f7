"""What is known of the members of a coreset beside their features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stainless.errors import InputError
from train.detectors.sequential_patchcore.crops import Crop, encoded, packed, unpacked
from train.detectors.sequential_patchcore.decisions import Decisions
from train.detectors.sequential_patchcore.member_class import ClassTable, MemberClass
from train.detectors.sequential_patchcore.provenance import UNKNOWN, Sources


class Notes:
    """Where each member was seen, what lay there, what it looks like; and what was decided.

    Attributes:
        sources: names behind `origin`.
        classes: names behind `class_of`.
        origin: (size, 3) int32: source, image, patch position; -1 = unknown.
        class_of: (size,) int16, number of the class in `classes`.
        crops: what is kept of the picture of each member.
        decisions: on which classes they rested.
        weights: of members by a name that they answer to, see `weighing.py`.
        entered: slots that were taken while the last patches were shown, and by which of them.
    """

    def __init__(self, size: int) -> None:
        self.sources = Sources()
        self.classes = ClassTable()
        self.decisions = Decisions()
        self.weights: dict[str, float] = {}
        self.origin = np.full((size, 3), UNKNOWN, np.int32)
        self.class_of = np.zeros(size, np.int16)
        self.crops: list[Crop] = [None] * size
        self.entered: dict[int, int] = {}

    def begin(self) -> None:
        """Begin to note who enters."""
        self.entered.clear()

    def enter(
        self,
        slot: int,
        position: int,
        origin: np.ndarray | None,
        classes: np.ndarray,
        crops: Sequence[Crop] | None,
    ) -> None:
        """Note that a patch became a member.

        Args:
            slot: its place.
            position: which of the patches it is.
            origin: (N, 3) where these come from; None where unknown.
            classes: (N,) of these.
            crops: pictures of these; None for none, or such that come later.
        """
        self.entered[slot] = position
        self.origin[slot] = UNKNOWN if origin is None else origin[position]
        self.class_of[slot] = classes[position]
        self.crops[slot] = None if crops is None else crops[position]

    def include(self, other: Notes, count: int) -> tuple[np.ndarray, np.ndarray, Sequence[Crop]]:
        """Take over the names and counts of others, whose first `count` members become patches.

        Returns:
            Their provenance, classes and crops, as `Coreset.update` takes them here.
        """
        numbers = self.classes.include(other.classes)
        self.decisions.include(other.decisions, numbers)
        origin = self.sources.include(other.sources, other.origin[:count])
        return origin, numbers[other.class_of[:count]], other.crops[:count]

    def class_at(self, member: int) -> MemberClass:
        """Return what lay where a member was seen."""
        return self.classes.entries[int(self.class_of[member])]

    @property
    def named(self) -> bool:
        """Whether anything is known of what the members are."""
        return len(self.classes.entries) > 1

    def require_class(self, name: str, option: str) -> None:
        """Refuse a name to which no class answers.

        Raises:
            InputError: lists those that there are.
        """
        entries = self.classes.entries if not self.named else self.classes.entries[1:]
        known = {text for entry in entries for text in (entry.name, entry.made)}
        if name not in known:
            there = ", ".join(sorted(known))
            raise InputError(
                f"{option}: {name}, expected a class of what was learned from: {there}"
            )

    def members_of(self, names: Sequence[str], count: int) -> np.ndarray:
        """Return (count,) bool: which of the first members are of classes of these names."""
        return np.isin(self.class_of[:count], self.classes.answering(names))

    def state(self, count: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return, for the first `count` members, arrays, and what JSON can hold."""
        # Encoded once, since what has been written must come out the same again.
        self.crops[:count] = [encoded(each) for each in self.crops[:count]]
        arrays: dict[str, np.ndarray] = {
            "provenance": self.origin[:count],
            "classes": self.class_of[:count],
        }
        data, lengths = packed([encoded(each) for each in self.crops[:count]])
        if len(data):
            arrays |= {"crops": data, "crop_lengths": lengths}
        return arrays, {
            "sources": self.sources.used(self.origin[:count]),
            "classes": self.classes.to_json(),
            "decisions": self.decisions.to_json(),
            **({"weights": self.weights} if self.weights else {}),
        }

    @classmethod
    def from_state(
        cls, size: int, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]
    ) -> Notes:
        """Return the notes of a state; one from before there were classes says none."""
        notes = cls(size)
        count = len(arrays["provenance"])
        notes.sources = Sources.from_json(state["sources"])
        notes.origin[:count] = arrays["provenance"]
        if "classes" not in state:
            notes.decisions.whole = not count
            return notes
        notes.classes = ClassTable.from_json(state["classes"])
        notes.decisions = Decisions.from_json(**state["decisions"])
        notes.weights = dict(state.get("weights", {}))
        notes.class_of[:count] = arrays["classes"]
        if "crops" in arrays:
            notes.crops[:count] = unpacked(arrays["crops"], arrays["crop_lengths"])
        return notes
