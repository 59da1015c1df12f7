"""A number, or the interval it is drawn from."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: A constant, or (low, high) with a uniform draw between them.
Range = float | tuple[float, float]


def bounds(value: Range) -> tuple[float, float]:
    """Return (low, high) of a range; both the same for a constant."""
    if isinstance(value, (int, float)):
        return float(value), float(value)
    low, high = value
    return float(low), float(high)


def shown(value: Range) -> float | list[float]:
    """Return a range as a message shows it and a scene file writes it."""
    return list(value) if isinstance(value, tuple) else value


def within(value: Range, uniform: ArrayLike) -> NDArray[np.float64]:
    """Place uniform numbers of [0, 1) into a range: low + u·(high − low)."""
    low, high = bounds(value)
    return low + np.asarray(uniform, dtype=np.float64) * (high - low)


def check_range(
    key: str,
    value: Range,
    least: float = -math.inf,
    most: float = math.inf,
    above: float = -math.inf,
) -> None:
    """Check that a range is ordered, finite and lies in [least, most] and above `above`.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    low, high = bounds(value)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{key}: {shown(value)}, expected finite numbers")
    if low > high:
        raise ValueError(f"{key}: {shown(value)}, expected [low, high] with low <= high")
    if low <= above:
        raise ValueError(f"{key}: {shown(value)}, expected above {above:g}")
    if low < least or high > most:
        raise ValueError(f"{key}: {shown(value)}, expected within [{least:g}, {most:g}]")
