"""A corner that was cut off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body
from render.parts.connector.flaw import ConnectorFlaw
from render.parts.connector.outline import cut
from stainless.ranges import Range, check_range
from stainless.streams import Draw

if TYPE_CHECKING:
    from render.parts.connector.shape import Shape

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CutCorner:
    """A straight cut.

    Attributes:
        normal: unit vector from the sheet to the corner that is cut off.
        offset_mm: distance of the cut from the sheet's middle along the normal.
    """

    normal: tuple[float, float]
    offset_mm: float


@dataclass
class CutCornerRanges:
    """What the cut draws from.

    Attributes:
        depth_mm: from the corner to the cut, at right angles to it.
        slant_deg: largest turn of the cut against 45 degrees.
    """

    depth_mm: Range = (3.5, 6.0)
    slant_deg: Range = (0.0, 18.0)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.depth_mm", self.depth_mm, 0.1, 30.0)
        check_range(f"{key}.slant_deg", self.slant_deg, 0.0, 40.0)


class _CutCorner(ConnectorFlaw):
    """See the module."""

    def sample(self, ranges: CutCornerRanges, body: Body, draw: Draw) -> list[CutCorner]:
        """Draw one cut, clear of the holes."""
        corner = int(draw.rng.integers(4))
        sx, sy = (1, 1, -1, -1)[corner], (1, -1, 1, -1)[corner]
        turn = np.radians(45 + draw.around(ranges.slant_deg))
        normal = (float(sx * np.cos(turn)), float(sy * np.sin(turn)))
        tip = (abs(normal[0]) * body.length_mm + abs(normal[1]) * body.width_mm) / 2
        round_off = body.corner_mm * (abs(normal[0]) + abs(normal[1]) - 1)
        holes = [normal[0] * h.x_mm + normal[1] * h.y_mm + h.reach_mm + 0.8 for h in body.holes]
        deepest = max([*holes, tip - 0.9 * body.width_mm / 2])
        wanted = tip - round_off - draw(ranges.depth_mm)
        return [CutCorner(normal, float(max(wanted, deepest)))]

    def outline(self, flaw: CutCorner, line: Float64) -> Float64:
        """Cut it off."""
        return cut(line, flaw.normal, flaw.offset_mm)

    def region(self, flaw: CutCorner, sound: Shape, shape: Shape, x: Float64, y: Float64) -> Any:
        """Return what is missing, and the rounded edge along the cut."""
        height = flaw.normal[0] * x + flaw.normal[1] * y - flaw.offset_mm
        found = height > -sound.body.bevel_mm
        if np.any(found):
            found[found] = sound.solid(x[found], y[found])
        return found


KIND = _CutCorner(index=102, stream=1, ranges=CutCornerRanges)
