"""Friction ridges: a pattern grown along an orientation field.

Sources: the zero-pole model of the field is by Sherlock and Monro, "A model for interpreting
fingerprint topology", Pattern Recognition 26(7), 1993. Growing the ridges by filtering noise again
and again with Gabor filters turned to the field is by Cappelli, Maio and Maltoni, "Synthetic
fingerprint-image generation", ICPR 2000; minutiae (endings and forks) appear by themselves.

The frame is that of the finger: u to its right, v towards its tip, in mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]
Point = tuple[float, float]

#: Texels of the grown pattern per ridge period.
TEXELS_PER_PERIOD = 6.0

# Half the edge of the filters in texels, a little more than one ridge period.
_REACH = 7
# Standard deviation of the filters' window, in ridge periods.
_SIGMA = 0.4
_PASSES = 24
# How far a pass drives the pattern towards -1 and 1.
_GAIN = 1.8

# Half of the filters' texels; point symmetry gives the other half.
_OFFSETS = [
    (down, across)
    for down in range(-_REACH, _REACH + 1)
    for across in range(-_REACH, _REACH + 1)
    if (down, across) >= (0, 0) and down * down + across * across <= _REACH * _REACH
]


@dataclass(frozen=True)
class RidgeFlow:
    """Where ridges run: a loop has one core and one delta, a whorl two of each, an arch none.

    Attributes:
        cores_mm: (u, v) around which ridges turn by half a turn.
        deltas_mm: (u, v) where three flows of ridges meet.
        arch: how steeply ridges without cores rise and fall, dv/du at most.
        arch_width_mm: width of that rise and fall.
    """

    cores_mm: tuple[Point, ...] = ()
    deltas_mm: tuple[Point, ...] = ()
    arch: float = 0.0
    arch_width_mm: float = 1.0

    def angle(self, u_mm: ArrayLike, v_mm: ArrayLike) -> Array:
        """Return the angle of the ridges against u, in rad, modulo π."""
        u, v = np.asarray(u_mm, np.float64), np.asarray(v_mm, np.float64)
        wave = np.sin(2.0 * np.pi * np.clip(u / self.arch_width_mm, -0.5, 0.5))
        turn = -np.arctan(self.arch * wave)
        for sign, places in ((0.5, self.cores_mm), (-0.5, self.deltas_mm)):
            for at_u, at_v in places:
                turn = turn + sign * np.arctan2(v - at_v, u - at_u)
        return turn


def grow(flow: RidgeFlow, period_mm: float, half_mm: Point, seed: int) -> Float32:
    """Grow ridges over a rectangle around the origin.

    Args:
        flow: where they run.
        period_mm: from ridge to ridge.
        half_mm: half the extent along u and v.
        seed: of the noise that the ridges grow from, and with it of their minutiae.

    Returns:
        (rows, columns) in [-1, 1], 1 on a crest and -1 in a valley; rows from low to high v,
        columns from low to high u, `TEXELS_PER_PERIOD` texels a period, the middle texel at the
        origin.
    """
    texel = period_mm / TEXELS_PER_PERIOD
    columns, rows = (2 * int(np.ceil(half / texel)) + 1 for half in half_mm)
    u = (np.arange(columns) - columns // 2) * texel
    v = (np.arange(rows) - rows // 2) * texel
    weights = _filters(flow.angle(u[None, :], v[:, None]))
    noise = np.random.default_rng(np.random.SeedSequence(seed)).uniform(-1.0, 1.0, (rows, columns))
    pattern = noise.astype(np.float32)
    for _ in range(_PASSES):
        padded = np.pad(pattern, _REACH, mode="reflect")
        pattern = np.zeros_like(pattern)
        for weight, (down, across) in zip(weights, _OFFSETS, strict=True):
            there = padded[
                _REACH + down : _REACH + down + rows, _REACH + across : _REACH + across + columns
            ]
            # A filter is the same at both ends of a line through its middle.
            back = padded[
                _REACH - down : _REACH - down + rows, _REACH - across : _REACH - across + columns
            ]
            pattern += weight * (there + back)
        pattern = np.clip(_GAIN * pattern, -1.0, 1.0)
    return pattern


def _filters(angle: Array) -> list[Float32]:
    """Return, for each of `_OFFSETS`, the weight of the texel that far away.

    The filters are even Gabor functions across the ridges, less a constant below the same window:
    a flat pattern gives zero, and ridges of the right period and angle pass as they are.
    """
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    wave_number = np.float32(2.0 * np.pi / TEXELS_PER_PERIOD)
    window = [_window(down, across) for down, across in _OFFSETS]
    ideal = [np.cos(wave_number * down) for down, _ in _OFFSETS]
    level = np.average(ideal, weights=window)
    gain = 2.0 * sum(w * (wave - level) * wave for w, wave in zip(window, ideal, strict=True))
    return [
        np.float32(w / gain) * (np.cos(wave_number * (cos * down - sin * across)) - level)
        for w, (down, across) in zip(window, _OFFSETS, strict=True)
    ]


def _window(down: int, across: int) -> float:
    sigma = _SIGMA * TEXELS_PER_PERIOD
    # The middle counts half: it is added from both ends of each line.
    half = 0.5 if down == across == 0 else 1.0
    return half * float(np.exp(-(down * down + across * across) / (2.0 * sigma * sigma)))
