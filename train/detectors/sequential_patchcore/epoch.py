"""What one pass over a stream of patches did to a coreset."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """What one pass over a stream of patches did.

    Attributes:
        number: counted from 1 over the life of the coreset.
        patches: patches shown.
        members: members at the end.
        added: patches that filled an empty place.
        replacements: patches that replaced a member.
        separation: d_m at the end, the smallest distance between members; infinite below two.
        farthest: largest distance from a rejected patch to a nearest member, each measured when the
            patch was shown. After an epoch without change this is the covering radius; before, it
            is smaller than that, since members leave after patches have relied on them.
    """

    number: int
    patches: int
    members: int
    added: int
    replacements: int
    separation: float
    farthest: float

    @property
    def converged(self) -> bool:
        """Whether the epoch changed nothing."""
        return self.added == 0 and self.replacements == 0

    def __str__(self) -> str:
        line = (
            f"epoch {self.number}: {self.patches:,} patches, {self.members} members, "
            f"{self.replacements:,} replacements, d_m {self.separation:.6g}, "
        )
        if self.converged:
            return line + f"covering radius {self.farthest:.6g}; certified: not larger than d_m"
        return line + f"covering radius in passing {self.farthest:.6g}"
