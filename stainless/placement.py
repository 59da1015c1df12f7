"""What all keys and areas that place something on a surface are checked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stainless.ranges import Range, bounds, check_range, shown

#: (x0, y0, x1, y1) with x0 < x1 and y0 < y1, in mm.
Area = tuple[float, float, float, float]

#: More pieces of a kind than this on one area are taken for a slip of the pen.
MOST_PIECES = 10_000


def check_area(area_mm: Area) -> None:
    """Check that an area is one.

    Raises:
        ValueError: an edge is not finite, or the area is empty.
    """
    x0, y0, x1, y1 = area_mm
    if not (x0 < x1 and y0 < y1 and all(math.isfinite(edge) for edge in area_mm)):
        raise ValueError(f"area_mm: {area_mm}, expected (x0, y0, x1, y1), x0 < x1 and y0 < y1")


def check_count(key: str, count: Range) -> None:
    """Check how many pieces lie on an area.

    Args:
        key: what a message calls the count.
        count: or its range.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    check_range(key, count, 0.0, MOST_PIECES)
    if any(not edge.is_integer() for edge in bounds(count)):
        raise ValueError(f"{key}: {shown(count)}, expected whole numbers")


def check_centers(centers_mm: Sequence[tuple[float, float]] | None) -> None:
    """Check centres that are given.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    for center in centers_mm or []:
        if len(center) != 2 or not all(math.isfinite(value) for value in center):
            raise ValueError(f"centers_mm: {list(center)}, expected two finite numbers")
