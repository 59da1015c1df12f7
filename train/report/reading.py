"""A reading of all test pictures and predictions; no more than one picture is held in full."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from train.report.candidates import Candidates
from train.report.marks import Marked, fitted, load_flagged, load_marked, reduced, resized
from train.report.markup import bilevel_png, jpeg
from train.report.results import Image, MethodResults, Results, class_names, shown_methods

#: Longer side in pixels of an embedded test picture, how many there are at most, and how many
#: bytes they may take together with their overlays.
SIDE = 320
MOST = 200
BUDGET = 13_000_000
QUALITY = 72


class Reading:
    """What the page needs of the pictures.

    Attributes:
        chosen: places in results["images"] of the embedded pictures, ascending.
        selection: a sentence about them.
        candidates: worst cases of the methods that figures show.
    """

    def __init__(self, results: Results, folder: Path) -> None:
        """Read everything once.

        Raises:
            InputError: a picture, a mask or a prediction is missing or damaged.
        """
        self._results = results
        self._folder = folder
        self.candidates = Candidates(results)
        shown = {method["slug"] for method in shown_methods(results)}
        names = class_names(results)
        count = len(results["images"])
        entries = {}
        wanted = set(regular(count, min(count, MOST)))
        for place, image in enumerate(results["images"]):
            marked = load_marked(image, results)
            size = fitted(marked.picture.shape, SIDE)
            flags = {}
            for method in results["methods"]:
                if place not in wanted and method["slug"] not in shown:
                    continue
                flagged = self.flagged(method, place, marked)
                if place in wanted:
                    flags[method["slug"]] = bilevel_png(reduced(flagged, size))
                if method["slug"] in shown:
                    self.candidates.update(method, place, marked, flagged)
            if place in wanted:
                entries[place] = _embedded(image, marked, size, names, flags)
        self.chosen = _within_budget(entries, count)
        self._entries = [entries[place] for place in self.chosen]
        self.selection = _selection(len(self.chosen), count)

    def embedded(self) -> list[dict[str, Any]]:
        """Return the pictures to embed, ready for JSON, in the order of `chosen`."""
        return self._entries

    def marked(self, place: int) -> Marked:
        """Read the picture at a place of results["images"] anew."""
        return load_marked(self._results["images"][place], self._results)

    def flagged(self, method: MethodResults, place: int, marked: Marked) -> np.ndarray:
        """Read what a method flags on the picture at a place."""
        name = self._results["images"][place]["name"]
        return load_flagged(self._folder / method["predictions"] / f"{name}.png", marked)


def regular(count: int, chosen: int) -> list[int]:
    """Return `chosen` of `count` places, as evenly spaced as whole numbers allow."""
    return [place * count // chosen for place in range(chosen)]


def _embedded(
    image: Image,
    marked: Marked,
    size: tuple[int, int],
    names: list[str],
    flags: dict[str, str],
) -> dict[str, Any]:
    truth = {name: bilevel_png(reduced(marked.of_class(name), size)) for name in names}
    return {
        "name": image["name"],
        "group": image["group"],
        "label": image["label"],
        "size": size,
        "picture": jpeg(resized(marked.picture, size), QUALITY),
        "defect": bilevel_png(reduced(marked.defect, size)),
        "impurity": bilevel_png(reduced(marked.impurity, size)),
        "classes": {name: mask for name, mask in truth.items() if mask},
        "flagged": {slug: mask for slug, mask in flags.items() if mask},
    }


def _within_budget(entries: dict[int, dict[str, Any]], count: int) -> list[int]:
    """Return which pictures to embed: all that were read, or as many as the page may hold."""
    places = sorted(entries)
    weights = {place: _weight(entries[place]) for place in places}
    for chosen in range(len(places), 0, -1):
        found = [places[at] for at in regular(len(places), chosen)]
        if sum(weights[place] for place in found) <= BUDGET:
            return found
    return places[:1]


def _weight(entry: dict[str, Any]) -> int:
    masks = [*entry["classes"].values(), *entry["flagged"].values()]
    return sum(map(len, [entry["picture"], entry["defect"], entry["impurity"], *masks]))


def _selection(chosen: int, count: int) -> str:
    if chosen == count:
        return f"All {count} test pictures are in this page, at most {SIDE} pixels wide."
    return (
        f"Of the {count} test pictures a regular selection of {chosen} is in this page, at most "
        f"{SIDE} pixels wide; the numbers are of all of them."
    )
