"""A few test pictures beside their ground truth and what the methods find on them."""

from __future__ import annotations

from collections.abc import Sequence

from stainless.dataset import GOOD
from train.report.marks import LABELLED, fitted, overlay, reduced, resized, tinted
from train.report.markup import escape, legend, picture, spoken
from train.report.reading import Reading
from train.report.results import MethodResults, Results, class_names, shown_methods

#: Longer side of a shown picture in pixels, and how many rows there are at most.
SIDE = 260
ROWS = 9


def picture_grid(results: Results, reading: Reading, more: Sequence[MethodResults] = ()) -> str:
    """Return the grid, one row a picture; a column each of the shown methods and of some more."""
    methods = [*shown_methods(results), *more]
    head = ["input", "ground truth", *(method["name"] for method in methods)]
    cells = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    rows = []
    for place, why in grid_pictures(results):
        name = results["images"][place]["name"]
        marked = reading.marked(place)
        size = fitted(marked.picture.shape, SIDE)
        bare = resized(marked.picture, size)
        defect, impurity = (reduced(mask, size) for mask in (marked.defect, marked.impurity))
        shown = [bare, tinted(bare, dict(zip(LABELLED, (defect, impurity & ~defect), strict=True)))]
        for method in methods:
            flagged = reduced(reading.flagged(method, place, marked), size)
            shown.append(overlay(bare, flagged, defect, impurity))
        pictures = "".join(
            f"<td>{picture(pixels, f'{title}, {name}')}</td>"
            for pixels, title in zip(shown, head, strict=True)
        )
        rows.append(
            f'<tr><th scope="row">{escape(name)}<small>{escape(why)}</small></th>{pictures}</tr>'
        )
    truth = (
        '<p class="legend"><span class="key defect">ground truth: defect</span>'
        '<span class="key stain">ground truth: impurity</span></p>'
    )
    return (
        f'{legend()}{truth}<div class="scroll"><table class="grid"><thead><tr><td></td>{cells}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def grid_pictures(results: Results) -> list[tuple[int, str]]:
    """Return the places of the pictures to show, and why each is.

    For each class the picture with most instances of it that is not shown yet, then a good one.
    """
    images = results["images"]
    found: dict[int, str] = {}
    for name in class_names(results)[: ROWS - 1]:
        counts = {
            place: entry["contains"].get(name, 0)
            for place, entry in enumerate(images)
            if place not in found
        }
        place = max(counts, key=lambda place: counts[place], default=None)
        if place is not None and counts[place]:
            found[place] = f"most instances of {spoken(name)}: {counts[place]}"
    good = [p for p, entry in enumerate(images) if entry["label"] == GOOD and p not in found]
    # A good picture says most where there is something to mistake for a defect.
    place = max(good, key=lambda place: sum(images[place]["contains"].values()), default=None)
    if place is not None:
        count = sum(images[place]["contains"].values())
        found[place] = f"good, with most impurities: {count}" if count else "good"
    return list(found.items())
