"""How many pieces lie on an area, and where: spread over it, or given."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stainless.placement import Area, check_centers, check_count
from stainless.ranges import Range, bounds, check_range

# Steps of the sequence that covers a square evenly at any count: 1/φ and 1/φ² of the root φ
# of x³ = x + 1. M. Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018.
_PLASTIC = 1.324717957244746
_STEPS = np.array([1.0 / _PLASTIC, 1.0 / _PLASTIC**2])


def check_placement(
    per_sample: Range, jitter: float, centers_mm: list[tuple[float, float]] | None
) -> None:
    """Check count, jitter and given centres.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    check_count("per_sample", per_sample)
    check_range("jitter", jitter, 0.0, 1.0)
    check_centers(centers_mm)


def whole_number(value: Range, uniform: float) -> int:
    """Return a whole number from low to high, both included, each as likely."""
    low, high = bounds(value)
    return int(low + math.floor(uniform * (high - low + 1.0)))


def spread(
    area_mm: Area,
    start: NDArray[np.float64],
    uniform: NDArray[np.float64],
    jitter: float,
    inset_mm: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Spread pieces over an area; one more leaves those before where they are.

    Args:
        area_mm: (x0, y0, x1, y1).
        start: (2,) in [0, 1), of the even sequence.
        uniform: (N, 2) in [0, 1), one pair a piece.
        jitter: in [0, 1]; 0 is the even sequence, 1 anywhere.
        inset_mm: (N,) how far each centre keeps from the area's border; in the middle where the
            area is too narrow for that.

    Returns:
        (N, 2) centres.
    """
    steps = np.arange(len(uniform))[:, None] * _STEPS
    place = np.mod(start + steps + jitter * (uniform - 0.5), 1.0)
    low, high = np.array(area_mm[:2]), np.array(area_mm[2:])
    middle, half = (low + high) / 2.0, (high - low) / 2.0
    inset = np.broadcast_to(np.asarray(inset_mm, np.float64), (len(uniform),))[:, None]
    return middle + (2.0 * place - 1.0) * np.maximum(half - inset, 0.0)
