"""Random surfaces without a grid of their own: the same at a point, however finely it is asked."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

#: Nodes of a lattice along an axis at most; beyond it repeats.
_NODES = 2048


def lattice(seed: int, pitch_mm: float, x: Float64, y: Float64) -> Float32:
    """Return smooth noise at points: a lattice of normal numbers, interpolated by cubics.

    Args:
        seed: of the numbers.
        pitch_mm: distance between the lattice's nodes.
        x, y: points in mm, two arrays of one shape (H, W).
    """
    nodes = max(float(np.ptp(x)), float(np.ptp(y))) / pitch_mm
    size = min(_NODES, 8 + 2 ** math.ceil(math.log2(nodes + 8)))
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, size])))
    values = rng.standard_normal((size, size), dtype=np.float32)
    across = (x / pitch_mm + size / 2).astype(np.float32)
    down = (y / pitch_mm + size / 2).astype(np.float32)
    return np.asarray(
        cv2.remap(values, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP), np.float32
    )


def grid(
    low: tuple[float, float], high: tuple[float, float], texel_mm: float
) -> tuple[Float64, Float64]:
    """Return x and y at the middles of the texels of a box, two arrays (H, W); row 0 at low y."""
    columns, rows = (max(2, round((b - a) / texel_mm)) for a, b in zip(low, high, strict=True))
    x = low[0] + (np.arange(columns) + 0.5) * (high[0] - low[0]) / columns
    y = low[1] + (np.arange(rows) + 0.5) * (high[1] - low[1]) / rows
    across, down = np.meshgrid(x, y)
    return across, down
