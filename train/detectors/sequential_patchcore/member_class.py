"""Classes of members: what lay where a patch was seen, and how its picture was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from stainless.dataset.made import UNKNOWN

#: Names of what lies there where no class is annotated: nothing; what `--augment` has blackened.
BARE, BORDER = "bare", "border"


@dataclass(frozen=True)
class MemberClass:
    """What a patch shows.

    Attributes:
        name: the annotated class, such as "water_stain"; BARE where the annotation marks nothing,
            BORDER beyond the edge of a part that is augmentation's; UNKNOWN without annotation.
        made: how the picture was made, see `stainless.dataset.made`.
    """

    name: str = UNKNOWN
    made: str = UNKNOWN

    def answers_to(self, names: Iterable[str]) -> bool:
        """Return whether one of some names is that of the class or of how it was made."""
        return not {self.name, self.made}.isdisjoint(names)

    def __str__(self) -> str:
        return f"{self.name.replace('_', ' ')}, {self.made}"


class ClassTable:
    """Numbers for classes, in the order in which they were met; 0 is what nothing is known of."""

    def __init__(self) -> None:
        self.entries = [MemberClass()]

    def number(self, entry: MemberClass) -> int:
        """Return the number of a class, a new one if it has none."""
        if entry not in self.entries:
            self.entries.append(entry)
        return self.entries.index(entry)

    def include(self, other: ClassTable) -> np.ndarray:
        """Take over another's classes; return (K,) int16, the number here of each number there."""
        return np.array([self.number(entry) for entry in other.entries], np.int16)

    def answering(self, names: Iterable[str]) -> list[int]:
        """Return the numbers of the classes that answer to one of some names."""
        wanted = set(names)
        return [k for k, entry in enumerate(self.entries) if entry.answers_to(wanted)]

    def to_json(self) -> list[list[str]]:
        """Return the classes as JSON can hold them."""
        return [[entry.name, entry.made] for entry in self.entries]

    @classmethod
    def from_json(cls, entries: Sequence[Sequence[str]]) -> ClassTable:
        """Return the table that `to_json` gave."""
        table = cls()
        table.entries = [MemberClass(*entry) for entry in entries]
        return table
