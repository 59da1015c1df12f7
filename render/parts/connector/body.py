"""The body of a connector: a sheet, its holes and its label, as numbers.

The frame is the front's: millimetres, origin in the middle, x along the sheet, z up.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from render.parts.connector.formations import FORMATIONS
from render.parts.connector.surface.ce_label import CeLabel
from stainless.ranges import Range, bounds
from stainless.streams import Draw

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Hole:
    """A hole through the sheet.

    Attributes:
        x_mm, y_mm: its middle.
        radius_mm: of the drill.
        bevel_mm: width of the rounded edge around it.
    """

    x_mm: float
    y_mm: float
    radius_mm: float
    bevel_mm: float

    @property
    def reach_mm(self) -> float:
        """The radius of all that belongs to the hole, its rounded edge included."""
        return self.radius_mm + self.bevel_mm

    def distance(self, x: Float64, y: Float64) -> Float64:
        """Return how far points are from the hole's middle."""
        return np.hypot(x - self.x_mm, y - self.y_mm)


@dataclass(frozen=True)
class Body:
    """The shape of one connector.

    Attributes:
        length_mm, width_mm, thickness_mm: of the sheet, along x, y and z.
        corner_mm: radius of its corners, 0 for cut ones.
        bevel_mm: width of its rounded edge.
        formation: name of the formation of its holes.
        holes: as they are.
        label: on its front; None where there is none.
    """

    length_mm: float
    width_mm: float
    thickness_mm: float
    corner_mm: float
    bevel_mm: float
    formation: str
    holes: tuple[Hole, ...]
    label: CeLabel | None

    def clearance(self, x: float, y: float) -> float:
        """Return the distance of a point to the closest edge, hole or label, below 0 inside one."""
        distances = [self.length_mm / 2 - abs(x), self.width_mm / 2 - abs(y)]
        distances += [float(np.hypot(x - h.x_mm, y - h.y_mm)) - h.reach_mm for h in self.holes]
        if self.label is not None:
            half_x, half_y = self.label.half_size_mm()
            dx = abs(x - self.label.x_mm) - half_x
            dy = abs(y - self.label.y_mm) - half_y
            distances.append(float(np.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0)))
        return min(distances)

    def replaced(self, place: int, hole: Hole | None) -> Body:
        """Return the body with another hole, or none, in the place of one."""
        others = () if hole is None else (hole,)
        return dataclasses.replace(
            self, holes=(*self.holes[:place], *others, *self.holes[place + 1 :])
        )


def in_formation(
    formation: str, hole_bevel: Range, misplaced: Range, draw: Draw
) -> tuple[Hole, ...]:
    """Draw the holes of a formation."""
    bevel = draw(hole_bevel)
    return tuple(
        Hole(x + draw.around(misplaced), y + draw.around(misplaced), radius, bevel)
        for x, y, radius in FORMATIONS[formation]
    )


def check_room(key: str, formations: list[str], size_mm: tuple[float, ...], bevel: Range) -> None:
    """Check that the holes of formations fit a sheet.

    Raises:
        ValueError: names the key, its value and what was expected.
    """
    for name in formations:
        for axis, edge in enumerate(size_mm[:2]):
            reach = max(abs(hole[axis]) + hole[2] for hole in FORMATIONS[name]) + bounds(bevel)[1]
            if 2 * (reach + 0.5) > edge:
                raise ValueError(
                    f"{key}: {list(size_mm)}, expected at least {2 * (reach + 0.5):.4g} mm along "
                    f"{'xy'[axis]} for the holes of the formation {name}"
                )
