"""A hole too many, drilled through the galvanized sheet: its edge is sharp and bare."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body, Hole
from render.parts.connector.flaw import ConnectorFlaw
from stainless.ranges import Range, check_range
from stainless.streams import Draw

if TYPE_CHECKING:
    from render.parts.connector.shape import Shape

Float64 = npt.NDArray[np.float64]

_TRIES = 256
#: Least width of the sheet between two holes.
_WEB_MM = 1.2


@dataclass(frozen=True)
class AdditionalHole:
    """One hole.

    Attributes:
        hole: it.
        bare_mm: width of the ring around it that the drill has bared.
    """

    hole: Hole
    bare_mm: float


@dataclass
class AdditionalHoleRanges:
    """What a hole too many draws from.

    Attributes:
        radius_mm: of the drill.
        bevel_mm: width of its edge, which no zinc has rounded.
        bare_mm: width of the ring around it that the drill has bared.
    """

    radius_mm: Range = (2.0, 2.75)
    bevel_mm: Range = (0.1, 0.2)
    bare_mm: Range = (0.1, 0.3)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.radius_mm", self.radius_mm, 0.3, 10.0)
        check_range(f"{key}.bevel_mm", self.bevel_mm, 0.02, 2.0)
        check_range(f"{key}.bare_mm", self.bare_mm, 0.0, 3.0)


class _AdditionalHole(ConnectorFlaw):
    """See the module."""

    def sample(self, ranges: AdditionalHoleRanges, body: Body, draw: Draw) -> list[AdditionalHole]:
        """Draw one hole, clear of edge, holes and label; the roomiest place where none is."""
        radius, bevel = draw(ranges.radius_mm), draw(ranges.bevel_mm)
        bare = draw(ranges.bare_mm)
        tries = draw.rng.uniform(-0.5, 0.5, (_TRIES, 2)) * [body.length_mm, body.width_mm]
        room = np.array([body.clearance(x, y) for x, y in tries]) - radius - bevel - bare - _WEB_MM
        fitting = np.flatnonzero(room >= 0)
        place = int(fitting[0]) if len(fitting) else int(room.argmax())
        if room[place] < 0:
            radius = max(radius + room[place], 0.3)
        x, y = (float(value) for value in tries[place])
        return [AdditionalHole(Hole(x, y, float(radius), bevel), bare)]

    def body(self, flaw: AdditionalHole, body: Body) -> Body:
        """Drill it."""
        return dataclasses.replace(body, holes=(*body.holes, flaw.hole))

    def bare(self, flaw: AdditionalHole, x: Float64, y: Float64) -> Float64:
        """Return the bared ring."""
        reach = flaw.hole.reach_mm + flaw.bare_mm
        return np.clip((reach - flaw.hole.distance(x, y)) / 0.08, 0, 1) * 0.8

    def region(
        self, flaw: AdditionalHole, sound: Shape, shape: Shape, x: Float64, y: Float64
    ) -> Any:
        """Return the hole with the ring around it."""
        return flaw.hole.distance(x, y) < flaw.hole.reach_mm + flaw.bare_mm


KIND = _AdditionalHole(index=105, stream=4, truth="logical", ranges=AdditionalHoleRanges)
