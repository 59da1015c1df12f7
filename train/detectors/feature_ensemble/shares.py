"""How many maps each member may have."""

from __future__ import annotations

from collections.abc import Sequence


def shares(total: int, widths: Sequence[int]) -> list[int]:
    """Divide a number of maps evenly among members.

    What is left over goes, a map each, to the members after the first. A member that has fewer
    maps than its share gives all it has, and the others share the rest.

    Args:
        total: how many maps there shall be, at least one a member.
        widths: how many each member has, at least one.

    Returns:
        How many each member gives; together `total`, or all there are where these are fewer.
    """
    given = [0] * len(widths)
    left = list(range(len(widths)))
    while left:
        share, over = divmod(total, len(left))
        short = [member for member in left if widths[member] <= share]
        for place, member in enumerate(left):
            given[member] = share + (1 <= place <= over)
        if not short:
            break
        for member in short:
            given[member] = widths[member]
            total -= widths[member]
            left.remove(member)
    return given
