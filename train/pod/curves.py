"""Curves of the probability of detection as SVG: with bounds, hits and misses, a90 and a90/95."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from train.pod.rows import Row
from train.report.markup import escape
from train.report.plot import style

WIDTH, HEIGHT = 460, 340
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 36, 56

#: Points of a curve.
_POINTS = 60

#: From a size or a probability to its place in the panel.
Place = Callable[[float], float]

#: Length of the stroke of a hit or a miss.
_STROKE = 5


def chart(
    title: str, axis: str, limits: tuple[float, float], lines: Sequence[tuple[str, int, Row]]
) -> str:
    """Return a panel with a curve a row; rows without a curve show their hits and misses alone.

    Args:
        title: of the panel.
        axis: name of the size.
        limits: the smallest and the largest size.
        lines: names in the legend, places among the colours, rows.
    """
    low, high = np.log(limits)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(size: float) -> float:
        return round(LEFT + (math.log(size) - low) / (high - low) * (right - LEFT), 1)

    def y(pod: float) -> float:
        return round(bottom - pod * (bottom - TOP), 1)

    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="11" role="img" '
        f'aria-label="{escape(title)}"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text x="{LEFT}" y="17" font-size="13" font-weight="600">{escape(title)}</text>'
    ]
    for pod in (0, 0.25, 0.5, 0.75, 0.9, 1):
        dash = ' stroke-dasharray="4 3"' if pod == 0.9 else ""
        pieces.append(
            f'<path d="M{LEFT} {y(pod)}H{right}" stroke="#d5d5d5"{dash}/>'
            f'<text x="{LEFT - 6}" y="{y(pod) + 4}" text-anchor="end" fill="#555">{pod:g}</text>'
        )
    for size in ticks(limits):
        pieces.append(
            f'<path d="M{x(size)} {bottom}v14" stroke="#bbb"/><text x="{x(size)}" '
            f'y="{bottom + 26}" text-anchor="middle" fill="#555">{size:g}</text>'
        )
    pieces.append(
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(axis)}'
        f'</text><text x="12" y="{(TOP + bottom) / 2}" text-anchor="middle" '
        f'transform="rotate(-90 12 {(TOP + bottom) / 2})">probability of detection</text>'
    )
    sizes = np.exp(np.linspace(low, high, _POINTS))
    for place, (name, colour_place, row) in enumerate(lines):
        colour = style(colour_place)[0]
        pieces += [_band(row, sizes, colour, x, y), _marks(row, place, colour, x, y)]
        pieces.append(_legend(name, row, place, colour))
    return "".join([*pieces, "</svg>"])


def ticks(limits: tuple[float, float]) -> list[float]:
    """Return round sizes within limits: 1, 2 and 5 of each power of ten."""
    low, high = limits
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    return [size for size in found if low * 0.999 <= size <= high * 1.001]


def _band(row: Row, sizes: np.ndarray, colour: str, x: Place, y: Place) -> str:
    """Return the curve between its bounds, and where it reaches 90 %."""
    if row.fit is None:
        return ""

    def path(values: np.ndarray, points: np.ndarray) -> str:
        return "L".join(f"{x(a)} {y(p)}" for a, p in zip(points, values, strict=True))

    lower, upper = row.fit.bounds(sizes)
    edge = f"M{path(upper, sizes)}L{path(lower[::-1], sizes[::-1])}Z"
    found = [
        f'<path d="{edge}" fill="{colour}" fill-opacity="0.13"/>'
        f'<path d="M{path(row.fit.curve.at(sizes), sizes)}" fill="none" stroke="{colour}" '
        'stroke-width="1.8"/>'
    ]
    at = (row.fit.curve.size(0.9), row.fit.upper_size(0.9))
    for size, full in zip(at, (True, False), strict=True):
        if sizes[0] <= size <= sizes[-1]:
            fill = colour if full else "#fff"
            found.append(
                f'<circle cx="{x(size)}" cy="{y(0.9)}" r="3.4" fill="{fill}" stroke="{colour}"/>'
            )
    return "".join(found)


def _marks(row: Row, place: int, colour: str, x: Place, y: Place) -> str:
    """Return a stroke for each hit above the diagram, and for each miss below it."""
    strokes = []
    for size, hit in zip(row.sizes, row.hits, strict=True):
        start = y(1) - 2 - place * 1.5 if hit else y(0) + 2 + place * 1.5
        strokes.append(f"M{x(size)} {start}v{-_STROKE if hit else _STROKE}")
    return f'<path d="{"".join(strokes)}" stroke="{colour}" stroke-opacity="0.35"/>'


def _legend(name: str, row: Row, place: int, colour: str) -> str:
    at = TOP + 14 + 14 * place
    size = ""
    if row.fit is not None:
        a90, largest = row.fit.curve.size(0.9), row.sizes.max()
        size = f", a90 {a90:.3g}" if a90 <= largest else f", a90 beyond {largest:.3g}"
    return (
        f'<path d="M{LEFT + 8} {at - 4}h16" stroke="{colour}" stroke-width="2"/>'
        f'<text x="{LEFT + 29}" y="{at}">{escape(name)} ({len(row.hits)}{size})</text>'
    )
