"""A second connector that lies on top of the first. Beyond the source; off by default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body
from render.parts.connector.flaw import ConnectorFlaw
from stainless.ranges import Range, check_range
from stainless.streams import Draw

if TYPE_CHECKING:
    from render.parts.connector.shape import Shape

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwoConnectors:
    """The second connector.

    Attributes:
        x_mm, y_mm: its middle, in the first one's frame.
        turn_rad: against the first one.
        seed: of its spangles.
    """

    x_mm: float
    y_mm: float
    turn_rad: float
    seed: int


@dataclass
class TwoConnectorsRanges:
    """What the second connector draws from.

    Attributes:
        along_mm: largest shift along the first one.
        across_mm: shift across, either way.
        turn_deg: largest turn against the first one.
    """

    along_mm: Range = (0.0, 12.0)
    across_mm: Range = (6.0, 16.0)
    turn_deg: Range = (2.0, 14.0)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.along_mm", self.along_mm, 0.0, 90.0)
        check_range(f"{key}.across_mm", self.across_mm, 0.0, 30.0)
        check_range(f"{key}.turn_deg", self.turn_deg, 0.0, 180.0)


class _TwoConnectors(ConnectorFlaw):
    """See the module."""

    def sample(self, ranges: TwoConnectorsRanges, body: Body, draw: Draw) -> list[TwoConnectors]:
        """Draw where it lies."""
        side = 1.0 if draw.rng.random() < 0.5 else -1.0
        along, across = draw.around(ranges.along_mm), side * draw(ranges.across_mm)
        turn = float(np.radians(draw.around(ranges.turn_deg)))
        return [TwoConnectors(along, across, turn, draw.seed())]

    def second(self, flaw: TwoConnectors) -> tuple[float, float, float, int]:
        """Return the second connector."""
        return flaw.x_mm, flaw.y_mm, flaw.turn_rad, flaw.seed

    def region(
        self, flaw: TwoConnectors, sound: Shape, shape: Shape, x: Float64, y: Float64
    ) -> Any:
        """Return what the second connector hides, as points of the plane of its top."""
        cos, sin = np.cos(flaw.turn_rad), np.sin(flaw.turn_rad)
        dx, dy = x - flaw.x_mm, y - flaw.y_mm
        return sound.solid(cos * dx + sin * dy, -sin * dx + cos * dy)


KIND = _TwoConnectors(
    index=110, stream=9, truth="logical", ranges=TwoConnectorsRanges, usual=False, through=False
)
