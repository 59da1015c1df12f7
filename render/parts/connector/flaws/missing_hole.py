"""A hole that is missing: never drilled, or stuffed and the whole part sprayed with paint.

The second is how it was done in Saghir, "Ensemble Methods for Visual Anomaly Detection in
Manufacturing Settings", section 4.2. The paint is then on no other part, which a detector may take
for the flaw itself; ground truth is the place of the hole alone.
"""

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
class MissingHole:
    """One missing hole.

    Attributes:
        x_mm, y_mm, radius_mm, bevel_mm: of the hole that should be there.
        filled: whether it was stuffed and the part sprayed.
        sunk: slope of the stuffing towards its middle.
        seed: of the paint.
    """

    x_mm: float
    y_mm: float
    radius_mm: float
    bevel_mm: float
    filled: bool
    sunk: float
    seed: int


@dataclass
class MissingHoleRanges:
    """What a missing hole draws from.

    Attributes:
        filled: share of them that are stuffed, and the whole part sprayed.
        sunk: slope of the stuffing towards its middle.
    """

    filled: Range = 0.5
    sunk: Range = (0.05, 0.14)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.filled", self.filled, 0.0, 1.0)
        check_range(f"{key}.sunk", self.sunk, 0.0, 1.0)


class _MissingHole(ConnectorFlaw):
    """See the module."""

    def sample(self, ranges: MissingHoleRanges, body: Body, draw: Draw) -> list[MissingHole]:
        """Draw which hole is missing."""
        hole = body.holes[int(draw.rng.integers(len(body.holes)))]
        filled = bool(draw.rng.random() < draw(ranges.filled))
        sunk, seed = draw(ranges.sunk), draw.seed()
        return [
            MissingHole(hole.x_mm, hole.y_mm, hole.radius_mm, hole.bevel_mm, filled, sunk, seed)
        ]

    def body(self, flaw: MissingHole, body: Body) -> Body:
        """Leave the hole out."""
        places = [(hole.x_mm, hole.y_mm) for hole in body.holes]
        return body.replaced(places.index((flaw.x_mm, flaw.y_mm)), None)

    def slopes(self, flaw: MissingHole, x: Float64, y: Float64) -> tuple[Float64, Float64] | None:
        """Return the slopes of the stuffing: a shallow hollow with a seam where the edge was."""
        if not flaw.filled:
            return None
        dx, dy = x - flaw.x_mm, y - flaw.y_mm
        distance = np.maximum(np.hypot(dx, dy), 1e-9)
        share = distance / (flaw.radius_mm + flaw.bevel_mm)
        hollow = flaw.sunk * share * (share < 1)
        seam = 1.6 * flaw.sunk * np.exp(-(((share - 0.93) / 0.06) ** 2)) * (share < 1)
        ripple = 0.5 * flaw.sunk * np.sin(dx * 4.1 + flaw.seed % 7) * (share < 0.95)
        return (hollow + seam) * dx / distance + ripple, (hollow + seam) * dy / distance

    def painted(self, flaw: MissingHole) -> int | None:
        """Return the paint of a part whose hole was stuffed."""
        return flaw.seed if flaw.filled else None

    def region(self, flaw: MissingHole, sound: Shape, shape: Shape, x: Float64, y: Float64) -> Any:
        """Return where the hole should be, its rounded edge included."""
        return np.hypot(x - flaw.x_mm, y - flaw.y_mm) < flaw.radius_mm + flaw.bevel_mm


KIND = _MissingHole(index=104, stream=3, truth="logical", ranges=MissingHoleRanges)
