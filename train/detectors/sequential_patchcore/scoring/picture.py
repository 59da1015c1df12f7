"""From a picture's map to its value."""

from __future__ import annotations

import numpy as np


def picture_value(pixels: np.ndarray, share: float) -> float:
    """Return the mean of the highest pixels of a map.

    Args:
        pixels: (H, W) float32 anomaly map.
        share: of its pixels, from 0 to 1; the highest pixel counts in any case, and alone for 0.
    """
    count = round(share * pixels.size)
    if count <= 1:
        return float(pixels.max())
    # Double precision, so that the value does not depend on the order of the pixels.
    highest = np.partition(pixels, pixels.size - count, axis=None)[pixels.size - count :]
    return float(np.sort(highest).mean(dtype=np.float64))
