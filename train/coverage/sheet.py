"""The least covered patches as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from train.coverage.coverage import Place
from train.why import GAP, INK, LINE, PAPER, SHOWN, framed

COLUMNS = 6

#: Letters of a line below a patch.
LETTERS = 27

LINES = 3


def sheet(places: Sequence[Place], radius: float) -> np.ndarray:
    """Return an (h, w, 3) uint8 RGB picture of places, the least covered first.

    Args:
        places: at least one.
        radius: up to which a patch is covered.
    """
    cells = [_cell(place, radius) for place in places]
    columns = min(COLUMNS, len(cells))
    cells += [np.full_like(cells[0], PAPER)] * (-len(cells) % columns)
    rows = [
        np.concatenate(cells[first : first + columns], axis=1)
        for first in range(0, len(cells), columns)
    ]
    return np.concatenate(rows)


def _cell(place: Place, radius: float) -> np.ndarray:
    cell = np.full((SHOWN + 3 * GAP + LINES * LINE, SHOWN + 2 * GAP, 3), PAPER, np.uint8)
    x, y, width, height = place.box
    cell[GAP : GAP + SHOWN, GAP : GAP + SHOWN] = framed(place.shown, width, height)
    name = place.name.encode("ascii", "replace").decode()
    lines = [
        name if len(name) <= LETTERS else f"...{name[3 - LETTERS :]}",
        f"distance {place.distance:.4g}",
        f"{place.distance / radius:.3g} radii, at {x}, {y}" if radius else f"at {x}, {y}",
    ]
    for number, text in enumerate(lines):
        where = GAP, SHOWN + 2 * GAP + 14 + number * LINE
        cv2.putText(cell, text, where, cv2.FONT_HERSHEY_SIMPLEX, 0.4, INK, 1, cv2.LINE_AA)
    return cell
