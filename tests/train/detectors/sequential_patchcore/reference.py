"""The rule of the paper as it is written: one patch at a time, float64, every distance anew."""

from __future__ import annotations

import numpy as np


class Reference:
    """Members with the numbers of the patches they are; the log has (entered, left) pairs.

    Args:
        size: number of members M.
        copies: whether equal patches may fill the first M places, as in the letter of the paper.
    """

    def __init__(self, size: int, copies: bool = False) -> None:
        self.size = size
        self.copies = copies
        self.members: list[np.ndarray] = []
        self.numbers: list[int] = []
        self.age: list[int] = []
        self.log: list[tuple[int, int]] = []
        self.shown = 0
        self.closest: tuple[float, int] | None = None

    def distances(self, patch: np.ndarray) -> np.ndarray:
        difference = np.stack(self.members).astype(np.float64) - patch.astype(np.float64)
        return np.square(difference).sum(axis=1)

    def closest_pair(self) -> tuple[float, int]:
        """Return squared distance and slot of the newer member."""
        best = np.inf
        leaver = -1
        oldest_first = np.argsort(self.age)
        for place, newer in enumerate(oldest_first):
            squared = self.distances(self.members[newer])[oldest_first[:place]]
            if len(squared) and squared.min() < best:
                best, leaver = float(squared.min()), int(newer)
        return best, leaver

    def show(self, patch: np.ndarray) -> None:
        number, self.shown = self.shown, self.shown + 1
        if len(self.members) < self.size:
            if self.copies or not self.members or self.distances(patch).min() > 0:
                self.members.append(patch)
                self.numbers.append(number)
                self.age.append(number)
            return
        if self.closest is None:
            self.closest = self.closest_pair()
        squared, newer = self.closest
        if self.distances(patch).min() > squared:
            self.closest = None
            self.log.append((number, self.numbers[newer]))
            self.members[newer] = patch
            self.numbers[newer] = self.age[newer] = number

    def distinct(self) -> list[int]:
        """Return the numbers of the members, oldest first, without equals of older ones."""
        kept: list[int] = []
        for slot in np.argsort(self.age):
            others = [self.members[self.numbers.index(k)] for k in kept]
            if not any(np.array_equal(self.members[slot], other) for other in others):
                kept.append(self.numbers[slot])
        return kept

    def separation(self) -> float:
        return float(np.sqrt(self.closest_pair()[0]))
