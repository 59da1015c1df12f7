"""A hole of another size: drilled wider, or with too small a drill."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body
from render.parts.connector.flaw import ConnectorFlaw
from render.parts.connector.formations import FORMATIONS
from stainless.ranges import Range, bounds, check_range, shown
from stainless.streams import Draw

if TYPE_CHECKING:
    from render.parts.connector.scene import ConnectorRanges
    from render.parts.connector.shape import Shape

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HoleSize:
    """One hole that is too wide or too narrow.

    Attributes:
        place: of the hole among those of the body.
        radius_mm: that it has.
    """

    place: int
    radius_mm: float


@dataclass
class HoleSizeRanges:
    """What a hole of another size draws from.

    Attributes:
        smaller: share of them that are too small.
        larger_factor: radius over the right one, of those that are too large.
        smaller_factor: radius over the right one, of those that are too small.
    """

    smaller: Range = 0.4
    larger_factor: Range = (1.35, 1.75)
    smaller_factor: Range = (0.45, 0.68)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.smaller", self.smaller, 0.0, 1.0)
        check_range(f"{key}.larger_factor", self.larger_factor, 1.0, 10.0)
        check_range(f"{key}.smaller_factor", self.smaller_factor, 0.1, 1.0)


class _HoleSize(ConnectorFlaw):
    """See the module."""

    def check(self, ranges: HoleSizeRanges, connector: ConnectorRanges) -> None:
        """Check that every hole has room to be as large as that."""
        factor = bounds(ranges.larger_factor)[1]
        least = 0.4 + 2 * bounds(connector.misplaced_mm)[1] + bounds(connector.hole_bevel_mm)[1]
        for name in connector.formations:
            holes = np.array(FORMATIONS[name])
            edges = np.array(connector.size_mm[:2]) / 2 - np.abs(holes[:, :2])
            others = np.hypot(*(holes[:, None, :2] - holes[None, :, :2]).transpose(2, 0, 1))
            np.fill_diagonal(others, np.inf)
            room = np.minimum(edges.min(axis=1), (others - holes[None, :, 2]).min(axis=1) - least)
            most = float(((room - least) / holes[:, 2]).min())
            if factor > most:
                raise ValueError(
                    f".larger_factor: {shown(ranges.larger_factor)}, expected at most {most:.3g}: "
                    f"the holes of the formation {name} have no more room"
                )

    def sample(self, ranges: HoleSizeRanges, body: Body, draw: Draw) -> list[HoleSize]:
        """Draw which hole, and its size."""
        place = int(draw.rng.integers(len(body.holes)))
        small = draw.rng.random() < draw(ranges.smaller)
        larger, smaller = draw(ranges.larger_factor), draw(ranges.smaller_factor)
        return [HoleSize(place, body.holes[place].radius_mm * (smaller if small else larger))]

    def body(self, flaw: HoleSize, body: Body) -> Body:
        """Drill it as wide as it is."""
        hole = dataclasses.replace(body.holes[flaw.place], radius_mm=flaw.radius_mm)
        return body.replaced(flaw.place, hole)

    def region(self, flaw: HoleSize, sound: Shape, shape: Shape, x: Float64, y: Float64) -> Any:
        """Return the ring between what it is and what it should be, rounded edges included."""
        right = sound.body.holes[flaw.place]
        distance = right.distance(x, y)
        low, high = sorted((right.radius_mm, flaw.radius_mm))
        return (distance > low) & (distance < high + right.bevel_mm)


KIND = _HoleSize(index=106, stream=5, truth="logical", ranges=HoleSizeRanges)
