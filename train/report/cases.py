"""The worst cases by rule, input and overlay side by side."""

from __future__ import annotations

import numpy as np

from train.report.candidates import RULES, Box, Case
from train.report.marks import Marked, overlay, reduced, resized
from train.report.markup import escape, legend, picture, spoken
from train.report.reading import Reading
from train.report.results import MethodResults, Results, shown_methods

#: Side in pixels of a shown window, and the smallest side of what it shows.
SHOWN = 300
LEAST = 96

Window = tuple[slice, slice]


def case_figures(results: Results, reading: Reading) -> str:
    """Return the figures of all rules, each with one case per method that has one."""
    methods = shown_methods(results)
    pieces = [legend()]
    for rule, (title, text) in RULES.items():
        figures = [
            _figure(method, case, results, reading)
            for method in methods
            if (case := reading.candidates.worst(method, rule)) is not None
        ]
        without = [
            method["name"] for method in methods if reading.candidates.worst(method, rule) is None
        ]
        pieces.append(f'<section class="rule"><h3>{escape(title)}</h3>')
        pieces.append(f'<p class="quiet">Chosen by rule: {escape(text)}')
        if without:
            pieces.append(f" No such case: {escape(', '.join(without))}.")
        pieces.append(f'</p><div class="cases">{"".join(figures)}</div></section>')
    return "".join(pieces)


def _figure(method: MethodResults, case: Case, results: Results, reading: Reading) -> str:
    name = results["images"][case.place]["name"]
    pictures = _pair(method, case, reading, f"{method['name']} on {name}")
    text = f"<b>{escape(method['name'])}</b> {escape(spoken(case.name))} in {escape(name)}: "
    text += escape(case.words)
    wide = ""
    if case.beside is not None:
        other = results["images"][case.beside.place]["name"]
        pictures += _pair(method, case.beside, reading, f"{method['name']} on {other}")
        same = "the same number" if case.beside.number == case.number else "one of its group"
        text += f"; right: {escape(same)} in {escape(other)}, {escape(case.beside.words)}"
        wide = " wide"
    return (
        f'<figure class="case{wide}"><div class="strip">{pictures}</div>'
        f"<figcaption>{text}.</figcaption></figure>"
    )


def _pair(method: MethodResults, case: Case, reading: Reading, alt: str) -> str:
    marked = reading.marked(case.place)
    flagged = reading.flagged(method, case.place, marked)
    return "".join(
        picture(pixels, f"{alt}, {what}")
        for pixels, what in zip(
            close_up(marked, flagged, case.box), ("input", "overlay"), strict=True
        )
    )


def close_up(marked: Marked, flagged: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Return the surroundings of a box, (SHOWN, SHOWN, 3) uint8 RGB, bare and with the overlay."""
    window = around(box, marked.picture.shape)
    crop = marked.picture[window]
    scale = SHOWN / max(crop.shape[:2])
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    bare = resized(crop, size)
    masks = (flagged, marked.defect, marked.impurity)
    return bare, overlay(bare, *(reduced(mask[window], size) for mask in masks))


def around(box: Box, shape: tuple[int, ...]) -> Window:
    """Return a square window about a box with surroundings, moved and cut to fit a picture."""
    x, y, width, height = box
    side = max(LEAST, round(1.6 * max(width, height)))
    slices = []
    for low, length, whole in ((y, height, shape[0]), (x, width, shape[1])):
        wanted = min(side, whole)
        start = min(max(0, low + length // 2 - wanted // 2), whole - wanted)
        slices.append(slice(start, start + wanted))
    return slices[0], slices[1]
