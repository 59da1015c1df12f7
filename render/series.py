"""Which parts a dataset is made of, and what its samples show of them.

A scene renders either `twins` (every sample clean and with its impurities, all nominal) or an
inspection `series`: groups of parts, good and defective, photographed side by side as a line would.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Group:
    """Parts of one kind.

    Attributes:
        split: where their pictures go; `validation` is a category tree of its own.
        parts: how many.
        sides: photographed sides of each part; a side is a sample.
        defects: whether the sides carry defects.
        impure_sides: how many of the sides, from the first, carry impurities.
        views: how many of the camera's views, from the first, each side is photographed from; None
            for all of them.
    """

    split: Literal["train", "validation", "test"] = "train"
    parts: int = 1
    sides: int = 1
    defects: bool = False
    impure_sides: int = 0
    views: int | None = None

    def validate(self, key: str) -> None:
        """Check the counts; ValueError names the key below `key`, value and expectation."""
        if not 1 <= self.parts <= 1_000_000:
            raise ValueError(f"{key}.parts: {self.parts}, expected 1 to 1000000")
        if not 1 <= self.sides <= 6:
            raise ValueError(f"{key}.sides: {self.sides}, expected 1 to 6")
        if not 0 <= self.impure_sides <= self.sides:
            raise ValueError(f"{key}.impure_sides: {self.impure_sides}, expected 0 to sides")
        if self.views is not None and self.views < 1:
            raise ValueError(f"{key}.views: {self.views}, expected null, or 1 and more")
        if self.split == "train" and self.defects:
            raise ValueError(f"{key}.defects: true, expected false: parts for training are good")


@dataclass
class Series:
    """An inspection series, in one category.

    Attributes:
        category: name of the category.
        border_mm: width of the border that is blacked out with the background, where a part is cut
            out of its pictures.
        note: a sentence about the series, which the manifest repeats on each line.
        groups: the parts, in the order of their samples.
    """

    category: str = "cell"
    border_mm: float = 1.0
    note: str = ""
    groups: list[Group] = field(default_factory=lambda: [Group()])

    def validate(self, key: str) -> None:
        """Check the values; ValueError names the key below `key`, value and expectation."""
        if not self.category.isidentifier() or self.category in ("annotations", "validation"):
            raise ValueError(f"{key}.category: {self.category!r}, expected a plain name")
        if not 0 <= self.border_mm <= 1000:
            raise ValueError(f"{key}.border_mm: {self.border_mm}, expected 0 to 1000")
        if not self.groups:
            raise ValueError(f"{key}.groups: [], expected at least one")
        for place, group in enumerate(self.groups):
            group.validate(f"{key}.groups[{place}]")

    def count(self) -> int:
        """Return how many samples, sides of parts, the series has."""
        return sum(group.parts * group.sides for group in self.groups)


@dataclass(frozen=True)
class Side:
    """What a sample is within its series.

    Attributes:
        part: index of the part, over all groups.
        side: index of the side.
        split: where its pictures go.
        defects: whether it carries defects.
        impurities: whether it carries impurities.
    """

    part: int
    side: int
    split: str
    defects: bool
    impurities: bool


def views_of(series: Series, sample: int) -> int | None:
    """Return how many of the camera's views a sample is photographed from, None for all.

    Raises:
        IndexError: the series has no such sample.
    """
    for group in series.groups:
        if sample < group.parts * group.sides:
            return group.views
        sample -= group.parts * group.sides
    raise IndexError(f"the series has no sample {sample}")


def side_of(series: Series, sample: int) -> Side:
    """Return what a sample is.

    Raises:
        IndexError: the series has no such sample.
    """
    first_part = 0
    for group in series.groups:
        if sample < group.parts * group.sides:
            part, side = divmod(sample, group.sides)
            return Side(
                first_part + part, side, group.split, group.defects, side < group.impure_sides
            )
        sample -= group.parts * group.sides
        first_part += group.parts
    raise IndexError(f"the series has no sample {sample}")
