"""Small line charts as inline SVG whose lines the page switches on and off by their class."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from train.report.markup import escape

#: After Okabe and Ito, told apart by colour-blind eyes; yellow is too light for a line on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#56b4e9", "#e69f00")
DASHES = ("", "6 3", "2 2.5", "8 3 2 3")

WIDTH, HEIGHT = 292, 214
LEFT, RIGHT, TOP, BOTTOM = 38, 12, 26, 34

#: Points of a line; None in place of y leaves a gap.
Points = Sequence[tuple[float, float | None]]


@dataclass(frozen=True)
class Line:
    """One line: the place of its method in the legend, what a pointer on it reads, its points."""

    place: int
    title: str
    points: Points


@dataclass(frozen=True)
class Axis:
    """One axis: its name, its ticks with their texts, and the place of a value between 0 and 1."""

    name: str
    ticks: Sequence[tuple[float, str]]
    at: Callable[[float], float]


def style(place: int) -> tuple[str, str]:
    """Return colour and dashes of the line at a place; 28 differ."""
    return COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)]


def linear(name: str, top: float, text: Callable[[float], str], bottom: float = 0.0) -> Axis:
    """Return an axis from at most `bottom` to at least `top` with round ticks."""
    step = _round_step((top - bottom) / 4 or 1.0)
    low = math.floor(bottom / step + 1e-9) * step
    count = max(1, math.ceil((top - low) / step - 1e-9))
    ticks = [(low + k * step, text(low + k * step)) for k in range(count + 1)]
    return Axis(name, ticks, lambda value: (value - low) / (count * step))


def logarithmic(name: str, top: float) -> Axis:
    """Return an axis of counts from 0 to `top`: as their logarithm, with a place for 0."""
    powers = max(1, math.ceil(math.log10(max(top, 1.0)) - 1e-9))
    whole = powers + 1
    ticks = [(0.0, "0")] + [(10.0**k, _short(10**k)) for k in range(powers + 1)]

    def at(value: float) -> float:
        return (1 + math.log10(value)) / whole if value >= 1 else max(0.0, value) / whole

    return Axis(name, ticks, at)


def _short(count: int) -> str:
    for power, unit in ((10**9, " G"), (10**6, " M"), (10**3, " k")):
        if count >= power:
            return f"{count // power}{unit}"
    return str(count)


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= step * (1 - 1e-9))


def chart(title: str, across: Axis, up: Axis, lines: Sequence[Line], shown: set[int]) -> str:
    """Return the SVG of a panel; lines whose place is not in `shown` start switched off."""
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(value: float) -> float:
        return round(LEFT + across.at(value) * inner_width, 1)

    def y(value: float) -> float:
        return round(TOP + (1 - up.at(value)) * inner_height, 1)

    pieces = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}"><text class="title" x="{LEFT}" y="14">{escape(title)}</text>'
    ]
    for value, text in up.ticks:
        pieces.append(f'<path class="rule" d="M{LEFT} {y(value)}H{WIDTH - RIGHT}"/>')
        pieces.append(f'<text class="tick" x="{LEFT - 5}" y="{y(value) + 3.5}">{text}</text>')
    for value, text in across.ticks:
        pieces.append(
            f'<text class="tick across" x="{x(value)}" y="{HEIGHT - BOTTOM + 14}">{text}</text>'
        )
    pieces.append(
        f'<text class="axis" x="{LEFT + inner_width / 2}" y="{HEIGHT - 5}">{escape(across.name)}'
        "</text>"
    )
    for line in lines:
        pieces.append(_drawn(line, x, y, line.place in shown))
    return "".join([*pieces, "</svg>"])


def _drawn(
    line: Line, x: Callable[[float], float], y: Callable[[float], float], shown: bool
) -> str:
    colour, dashes = style(line.place)
    path, pen = [], "M"
    for at, value in line.points:
        if value is None or not math.isfinite(value):
            pen = "M"
            continue
        path.append(f"{pen}{x(at)} {y(value)}")
        pen = "L"
    if not path:
        return ""
    dots = "".join(
        f'<circle cx="{x(at)}" cy="{y(value)}" r="1.8"/>'
        for at, value in line.points
        if value is not None and math.isfinite(value)
    )
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<g class="line m{line.place}{"" if shown else " off"}" stroke="{colour}" fill="{colour}">'
        f'<title>{escape(line.title)}</title><path d="{"".join(path)}"{dashed}/>{dots}</g>'
    )


def switches(names: Sequence[str], shown: set[int]) -> str:
    """Return the legend: a switch a line."""
    entries = []
    for place, name in enumerate(names):
        colour, dashes = style(place)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        on = place in shown
        entries.append(
            f'<label class="switch{"" if on else " off"}"><input type="checkbox" '
            f'data-line="m{place}"{" checked" if on else ""}>'
            f'<svg viewBox="0 0 26 8" width="26" height="8" aria-hidden="true">'
            f'<path d="M1 4H25" stroke="{colour}"{dashed}/></svg>{escape(name)}</label>'
        )
    return f'<div class="switches">{"".join(entries)}</div>'
