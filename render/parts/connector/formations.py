"""Standard formations of the holes of a flat connector of 100 x 35 mm.

Each leaves the middle free, where the label stands, and turns into itself by half a turn.
"""

from __future__ import annotations

#: x, y and radius in mm, of the holes of one half; half a turn makes the other half of it.
_HALVES = {
    "rows": [(20.0, 9.5, 2.5), (20.0, -9.5, 2.5), (40.0, 9.5, 2.5), (40.0, -9.5, 2.5)],
    "zigzag": [(17.5, 9.5, 2.5), (26.0, -9.5, 2.5), (34.5, 9.5, 2.5), (43.0, -9.5, 2.5)],
    "fives": [
        (20.0, 10.0, 2.25),
        (20.0, -10.0, 2.25),
        (30.0, 0.0, 2.25),
        (40.0, 10.0, 2.25),
        (40.0, -10.0, 2.25),
    ],
    "bolt": [(31.0, 0.0, 5.5), (19.0, 11.0, 2.25), (43.0, 11.0, 2.25), (43.0, -11.0, 2.25)],
}

#: Place (x, y) and radius in mm of each hole, by the formation's name.
FORMATIONS: dict[str, tuple[tuple[float, float, float], ...]] = {
    name: (*half, *((-x, -y, radius) for x, y, radius in half)) for name, half in _HALVES.items()
}
