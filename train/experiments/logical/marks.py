"""Of each flaw the picture that methods mark best, and the one that they mark worst.

Best and worst go by the share of a picture's regions that is found at each method's own threshold
of pixels (sPRO, or the defect-wise recall of a dataset without saturation), the mean of all methods
that figures show.

    python -m train.experiments.logical.marks reports/logical --out docs/logical
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from stainless.errors import guarded
from stainless.files import replacing
from train.report.marks import LABELLED, fitted, overlay, reduced, resized, tinted
from train.report.markup import escape, legend, picture, spoken
from train.report.reading import Reading
from train.report.results import MethodResults, Results, class_names, read_results, shown_methods

#: Longer side of a shown picture in pixels.
SIDE = 260


class Chosen(NamedTuple):
    """A picture to show: its place in results["images"], its flaw, and how well it is marked."""

    place: int
    flaw: str
    which: str
    share: float


def chosen(results: Results) -> list[Chosen]:
    """Return the best and the worst marked picture of each flaw."""
    found = []
    shares = _shares(results)
    for flaw in class_names(results):
        places = [
            place
            for place, image in enumerate(results["images"])
            if image["contains"].get(flaw) and image["name"] in shares
        ]
        if results["classes"][flaw] != "defect" or not places:
            continue
        ranked = sorted(places, key=lambda place: -shares[results["images"][place]["name"]])
        ends = {"best": ranked[0], "worst": ranked[-1]} if len(ranked) > 1 else {"only": ranked[0]}
        for which, place in ends.items():
            found.append(Chosen(place, flaw, which, shares[results["images"][place]["name"]]))
    return found


def _shares(results: Results) -> dict[str, float]:
    """Return by picture the mean share that the shown methods find."""
    shares: dict[str, list[float]] = {}
    for method in shown_methods(results):
        for row in method["per_image"]:
            share = _share(row)
            if share is not None:
                shares.setdefault(row["name"], []).append(share)
    return {name: float(np.mean(values)) for name, values in shares.items()}


def _share(row: Mapping[str, Any]) -> float | None:
    for amount, whole in (("spro_sum", "spro_regions"), ("defect_recall_sum", "defects")):
        if row.get(whole):
            return float(row[amount] / row[whole])
    return None


def strip(
    reading: Reading, methods: Sequence[MethodResults], place: int
) -> list[tuple[str, np.ndarray]]:
    """Return a picture, its ground truth and what methods mark, each (h, w, 3) with its title."""
    marked = reading.marked(place)
    size = fitted(marked.picture.shape, SIDE)
    bare = resized(marked.picture, size)
    defect, impurity = (reduced(mask, size) for mask in (marked.defect, marked.impurity))
    truth = tinted(bare, dict(zip(LABELLED, (defect, impurity & ~defect), strict=True)))
    found = [("picture", bare), ("ground truth", truth)]
    for method in methods:
        flagged = reduced(reading.flagged(method, place, marked), size)
        found.append((method["name"], overlay(bare, flagged, defect, impurity)))
    return found


def marks_table(results: Results, reading: Reading) -> str:
    """Return the pictures as a table of HTML, a row each."""
    methods, rows, head = shown_methods(results), [], ""
    for each in chosen(results):
        name = results["images"][each.place]["name"]
        pictures = strip(reading, methods, each.place)
        head = "".join(f'<th scope="col">{escape(title)}</th>' for title, _ in pictures)
        shown = "".join(
            f"<td>{picture(pixels, f'{title}, {name}')}</td>" for title, pixels in pictures
        )
        why = f"{each.which} of {spoken(each.flaw)}: {each.share:.2f} found"
        rows.append(
            f'<tr><th scope="row">{escape(name)}<small>{escape(why)}</small></th>{shown}</tr>'
        )
    return (
        '<p class="quiet">By the share of its regions that is found, the mean of the methods '
        f'shown.</p>{legend()}<div class="scroll"><table class="grid"><thead><tr><td></td>{head}'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def sheet(rows: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]]) -> np.ndarray:
    """Return pictures in rows with their titles as one (H, W, 3) uint8 RGB picture."""
    above, left, gap = 22, 150, 4
    height = max(pixels.shape[0] for _, row in rows for _, pixels in row)
    width = max(pixels.shape[1] for _, row in rows for _, pixels in row)
    columns = max(len(row) for _, row in rows)
    shape = (above + len(rows) * (height + gap), left + columns * (width + gap), 3)
    whole = np.full(shape, 255, np.uint8)
    for number, (title, row) in enumerate(rows):
        top = above + number * (height + gap)
        for line, text in enumerate(title.split("\n")):
            _write(whole, text, 4, top + 16 + 15 * line)
        for column, (name, pixels) in enumerate(row):
            at = left + column * (width + gap)
            whole[top : top + pixels.shape[0], at : at + pixels.shape[1]] = pixels
            if number == 0:
                _write(whole, name, at, 15)
    return whole


def _write(whole: np.ndarray, text: str, x: int, y: int) -> None:
    cv2.putText(whole, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (30, 30, 30), 1, cv2.LINE_AA)


def main(words: Sequence[str] | None = None) -> int:
    """Write a sheet a flaw into a folder; returns the exit code."""
    parser = argparse.ArgumentParser(prog="train.experiments.logical.marks", description=__doc__)
    parser.add_argument("folder", type=Path, help="of a finished experiment")
    parser.add_argument("--out", type=Path, required=True, help="folder of the sheets")
    args = parser.parse_args(words)

    def write() -> int:
        results = read_results(args.folder)
        reading = Reading(results, args.folder)
        methods = shown_methods(results)
        args.out.mkdir(parents=True, exist_ok=True)
        flaws: dict[str, list[Chosen]] = {}
        for each in chosen(results):
            flaws.setdefault(each.flaw, []).append(each)
        for flaw, pair in flaws.items():
            rows = [
                (f"{each.which}\n{each.share:.2f} found", strip(reading, methods, each.place))
                for each in pair
            ]
            quality = [cv2.IMWRITE_JPEG_QUALITY, 85]
            _, data = cv2.imencode(".jpg", sheet(rows)[..., ::-1], quality)
            with replacing(args.out / f"{flaw}.jpg") as beside:
                beside.write_bytes(data.tobytes())
            print(args.out / f"{flaw}.jpg")
        return 0

    return guarded(write)


if __name__ == "__main__":
    sys.exit(main())
