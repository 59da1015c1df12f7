"""On which classes of members the decisions of a coreset rested.

Kept as counts, so that they cost nothing, they answer one question: which members could be taken
away so that what is left is what the rule would have chosen without all patches of their classes?

A class is forgotten exactly where no decision hinged on it. Then, from the same stream without its
patches, a coreset of as many places as are left would have gone the same way:

* In the full coreset no patch of the class entered, so none displaced another member.
* Whenever another patch entered, both members of the closest pair were of other classes. That pair
  is then the closest of the others too, so that d_m is the same and the same member leaves.
* Each patch of another class that was turned away was so on the word of a member of another class,
  which lies within d_m; without the forgotten ones d_m is no smaller.
* While places were free, no copy of a member of the class was turned away for being one.

Where a count is not 0, the result may be the same all the same: a patch that one forgotten member
turned away may have been turned away by another one too. The counts bound what may differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np


class Decisions:
    """Counts of decisions by the classes (numbers of a `ClassTable`) that took part.

    Attributes:
        whole: whether all decisions since the coreset was empty are counted.
        turned_away: by (patch, member): patches that a member's word kept out.
        entered: by (patch, newer, partner): patches that entered the full coreset, and the closest
            pair then, whose newer member left.
    """

    def __init__(self) -> None:
        self.whole = True
        self.turned_away: Counter[tuple[int, int]] = Counter()
        self.entered: Counter[tuple[int, int, int]] = Counter()

    def count_turned_away(self, patches: np.ndarray, members: np.ndarray) -> None:
        """Count patches that were turned away.

        Args:
            patches: (N,) classes of the patches.
            members: (N,) class of the member on whose word each was; below 0 for one that entered.
        """
        kept_out = members >= 0
        width = int(members.max(initial=0)) + 1
        pairs = patches[kept_out].astype(np.int64) * width + members[kept_out]
        counts = np.bincount(pairs)
        for pair in np.flatnonzero(counts).tolist():
            self.turned_away[divmod(pair, width)] += int(counts[pair])

    def hinged(self, forgotten: Collection[int]) -> int:
        """Return how many decisions on other patches, or places, hinged on classes."""
        gone = set(forgotten)
        away = sum(
            n for (patch, word), n in self.turned_away.items() if word in gone and patch not in gone
        )
        entries = sum(n for classes, n in self.entered.items() if not gone.isdisjoint(classes))
        return away + entries

    def include(self, other: Decisions, numbers: np.ndarray) -> None:
        """Add another's counts, whose class k is here `numbers[k]`."""
        self.whole &= other.whole
        for (patch, member), count in other.turned_away.items():
            self.turned_away[int(numbers[patch]), int(numbers[member])] += count
        for (patch, newer, partner), count in other.entered.items():
            self.entered[int(numbers[patch]), int(numbers[newer]), int(numbers[partner])] += count

    def without(self, forgotten: Collection[int]) -> Decisions:
        """Return the counts of a coreset after classes are forgotten."""
        gone = set(forgotten)
        kept = Decisions()
        kept.whole = self.whole and not self.hinged(gone)
        for pair, count in self.turned_away.items():
            if gone.isdisjoint(pair):
                kept.turned_away[pair] = count
        for classes, count in self.entered.items():
            if gone.isdisjoint(classes):
                kept.entered[classes] = count
        return kept

    def to_json(self) -> dict[str, object]:
        """Return the counts as JSON can hold them."""
        return {
            "whole": self.whole,
            "turned_away": [[*pair, n] for pair, n in sorted(self.turned_away.items())],
            "entered": [[*classes, n] for classes, n in sorted(self.entered.items())],
        }

    @classmethod
    def from_json(
        cls, whole: bool, turned_away: Sequence[Sequence[int]], entered: Sequence[Sequence[int]]
    ) -> Decisions:
        """Return the counts that `to_json` gave."""
        found = cls()
        found.whole = whole
        found.turned_away.update({(a, b): n for a, b, n in turned_away})
        found.entered.update({(a, b, c): n for a, b, c, n in entered})
        return found
