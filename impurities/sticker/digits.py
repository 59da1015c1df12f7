"""Digits as single pen strokes: straight from the font for print, warped for handwriting.

A glyph stands in a box 0.6 wide and 1 high. Its strokes are chains of points; a smooth one is the
cubic of Catmull and Rom through them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from impurities.perlin import perlin2

Array = NDArray[np.float64]
Chain = tuple[tuple[float, float], ...]

#: Width of a glyph, and from one to the next, in heights.
WIDTH, ADVANCE = 0.6, 0.86

_SIX: Chain = (
    *((0.48, 1.00), (0.25, 0.85), (0.09, 0.58), (0.03, 0.28), (0.12, 0.06), (0.30, 0.00)),
    *((0.50, 0.08), (0.57, 0.29), (0.49, 0.50), (0.30, 0.57), (0.12, 0.48), (0.03, 0.30)),
)

# (smooth, chain) for every stroke of a digit.
_GLYPHS: dict[str, tuple[tuple[bool, Chain], ...]] = {
    "0": (
        (
            True,
            (
                *((0.30, 1.00), (0.10, 0.87), (0.02, 0.50), (0.10, 0.13), (0.30, 0.00)),
                *((0.50, 0.13), (0.58, 0.50), (0.50, 0.87), (0.30, 1.00)),
            ),
        ),
    ),
    "1": ((False, ((0.12, 0.78), (0.36, 1.00), (0.36, 0.00))),),
    "2": (
        (
            True,
            (
                *((0.04, 0.76), (0.12, 0.94), (0.30, 1.00), (0.48, 0.93), (0.54, 0.74)),
                *((0.45, 0.50), (0.22, 0.22), (0.02, 0.00)),
            ),
        ),
        (False, ((0.02, 0.00), (0.58, 0.00))),
    ),
    "3": (
        (
            True,
            ((0.04, 0.84), (0.14, 0.97), (0.32, 1.00), (0.50, 0.90), (0.50, 0.68), (0.22, 0.55)),
        ),
        (
            True,
            (
                *((0.22, 0.55), (0.48, 0.47), (0.57, 0.27), (0.48, 0.07), (0.28, 0.00)),
                *((0.10, 0.05), (0.02, 0.18)),
            ),
        ),
    ),
    "4": ((False, ((0.44, 0.00), (0.44, 1.00), (0.02, 0.30), (0.60, 0.30))),),
    "5": (
        (False, ((0.52, 1.00), (0.10, 1.00), (0.07, 0.56))),
        (
            True,
            (
                *((0.07, 0.56), (0.30, 0.63), (0.50, 0.53), (0.57, 0.31), (0.48, 0.08)),
                *((0.26, 0.00), (0.09, 0.05), (0.02, 0.16)),
            ),
        ),
    ),
    "6": ((True, _SIX),),
    "7": ((False, ((0.02, 1.00), (0.58, 1.00), (0.22, 0.00))),),
    "8": (
        (
            True,
            (
                *((0.30, 0.54), (0.09, 0.68), (0.10, 0.91), (0.30, 1.00), (0.50, 0.91)),
                *((0.51, 0.68), (0.30, 0.54), (0.05, 0.38), (0.06, 0.10), (0.30, 0.00)),
                *((0.54, 0.10), (0.55, 0.38), (0.30, 0.54)),
            ),
        ),
    ),
    "9": ((True, tuple((0.6 - u, 1.0 - v) for u, v in _SIX)),),
}

# Straight pieces between two points of a smooth chain.
_PIECES = 8
# Lattice cells of the noise that warps handwriting, per height of a digit.
_WARP = 1.3


def text_width(text: str) -> float:
    """Return the width of a text, in heights of its digits."""
    return WIDTH + (len(text) - 1) * ADVANCE


def strokes(
    text: str,
    height_mm: float,
    slant: float = 0.0,
    wobble: float = 0.0,
    noise_offset: tuple[float, float] = (0.0, 0.0),
) -> list[Array]:
    """Return the strokes of a text that is centred on the origin.

    Args:
        text: digits.
        height_mm: of a digit.
        slant: how far its top leans to the right, in heights.
        wobble: how far the hand strays from the font, in heights.
        noise_offset: (x, y) in lattice cells: which piece of the noise it strays along.

    Returns:
        For each digit (N, 4): the ends (u, v, u, v) of its straight pieces, in mm.

    Raises:
        KeyError: not a digit.
    """
    glyphs = []
    for place, digit in enumerate(text):
        pieces = []
        for smooth, chain in _GLYPHS[digit]:
            chained = np.array(chain, dtype=np.float64)
            u, v = (_through(chained) if smooth else chained).T
            u, v = u + place * ADVANCE - text_width(text) / 2.0, v - 0.5
            # Noise of the place, not of the stroke: strokes that meet still do.
            at_u, at_v = _WARP * u + noise_offset[0], _WARP * v + noise_offset[1]
            # A whole number and a half away the noise is another.
            warp_u, warp_v = perlin2(at_u, at_v), perlin2(at_v + 17.5, at_u + 31.5)
            u, v = u + slant * v + wobble * warp_u, v + wobble * warp_v
            ends = np.stack([u, v], axis=1) * height_mm
            pieces.append(np.concatenate([ends[:-1], ends[1:]], axis=1))
        glyphs.append(np.concatenate(pieces))
    return glyphs


def distance(glyphs: list[Array], u: Array, v: Array, reach_mm: float) -> Array:
    """Return how far points are from the nearest stroke.

    Args:
        glyphs: of `strokes`.
        u: flat array of points, in mm.
        v: the same.
        reach_mm: distances are wanted up to here.

    Returns:
        Distances in mm, infinite or the true ones beyond the reach.
    """
    least = np.full(u.shape, np.inf)
    for glyph in glyphs:
        low = np.minimum(glyph[:, :2], glyph[:, 2:]).min(axis=0) - reach_mm
        high = np.maximum(glyph[:, :2], glyph[:, 2:]).max(axis=0) + reach_mm
        at = np.flatnonzero((u >= low[0]) & (u <= high[0]) & (v >= low[1]) & (v <= high[1]))
        near_u, near_v, squared = u[at], v[at], np.square(least[at])
        for from_u, from_v, to_u, to_v in glyph:
            along_u, along_v = to_u - from_u, to_v - from_v
            du, dv = near_u - from_u, near_v - from_v
            t = (du * along_u + dv * along_v) / (along_u * along_u + along_v * along_v)
            np.clip(t, 0.0, 1.0, out=t)
            np.minimum(
                squared, np.square(du - t * along_u) + np.square(dv - t * along_v), out=squared
            )
        least[at] = np.sqrt(squared)
    return least


def _through(chain: Array) -> Array:
    """Return points of the cubic of Catmull and Rom through a chain, its own among them."""
    if (chain[0] == chain[-1]).all():
        padded = np.concatenate([chain[-2:-1], chain, chain[1:2]])
    else:
        ends = 2.0 * chain[[0, -1]] - chain[[1, -2]]
        padded = np.concatenate([ends[:1], chain, ends[1:]])
    t = (np.arange(_PIECES) / _PIECES)[:, None]
    before, low, high, after = (padded[k : len(padded) - 3 + k, None] for k in range(4))
    bend = 2.0 * before - 5.0 * low + 4.0 * high - after
    cubic = low + 0.5 * t * (high - before + t * (bend + t * (3.0 * (low - high) + after - before)))
    return np.concatenate([cubic.reshape(-1, 2), chain[-1:]])
