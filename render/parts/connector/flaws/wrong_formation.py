"""Holes in a formation that is none of the right ones. Beyond the source; off by default."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body, check_room, in_formation
from render.parts.connector.flaw import ConnectorFlaw
from render.parts.connector.formations import FORMATIONS
from stainless.streams import Draw

if TYPE_CHECKING:
    from render.parts.connector.scene import ConnectorRanges
    from render.parts.connector.shape import Shape

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WrongFormation:
    """A formation.

    Attributes:
        formation: its name.
    """

    formation: str


@dataclass
class WrongFormationRanges:
    """What a wrong formation is drawn from.

    Attributes:
        formations: their names, none of them a right one.
    """

    formations: list[str] = field(default_factory=lambda: ["fives", "bolt"])

    def validate(self, key: str) -> None:
        """Check the names; ValueError names the key below `key`, value and expectation."""
        for name in self.formations:
            if name not in FORMATIONS:
                raise ValueError(
                    f"{key}.formations: {name}, expected among {', '.join(FORMATIONS)}"
                )
        if not self.formations:
            raise ValueError(f"{key}.formations: [], expected at least one")


class _WrongFormation(ConnectorFlaw):
    """See the module."""

    def check(self, ranges: WrongFormationRanges, connector: ConnectorRanges) -> None:
        """Check that no wrong formation is a right one, and that its holes fit."""
        for name in ranges.formations:
            if name in connector.formations:
                raise ValueError(f".formations: {name}, expected none of connector.formations")
        bevel = connector.hole_bevel_mm
        try:
            check_room("size", ranges.formations, connector.size_mm, bevel)
        except ValueError as error:
            raise ValueError(
                f".formations: {ranges.formations}, expected to fit: {error}"
            ) from None

    def sample(self, ranges: WrongFormationRanges, body: Body, draw: Draw) -> list[WrongFormation]:
        """Draw one."""
        return [WrongFormation(ranges.formations[int(draw.rng.integers(len(ranges.formations)))])]

    def body(self, flaw: WrongFormation, body: Body) -> Body:
        """Drill its holes instead of the right ones."""
        # Placed without error: only the holes that differ are wrong.
        none = Draw(np.random.SeedSequence(0))
        holes = in_formation(flaw.formation, body.holes[0].bevel_mm, 0.0, none)
        return dataclasses.replace(body, formation=flaw.formation, holes=holes)

    def region(
        self, flaw: WrongFormation, sound: Shape, shape: Shape, x: Float64, y: Float64
    ) -> Any:
        """Return the missing holes and those that are too many, but not where both are open."""
        touched, opened = np.zeros(np.shape(x), np.bool_), np.ones(np.shape(x), np.bool_)
        for body in (sound.body, shape.body):
            distances = [(hole, hole.distance(x, y)) for hole in body.holes]
            touched |= np.any([distance < hole.reach_mm for hole, distance in distances], axis=0)
            opened &= np.any([distance <= hole.radius_mm for hole, distance in distances], axis=0)
        return touched & ~opened


KIND = _WrongFormation(
    index=107, stream=6, truth="logical", ranges=WrongFormationRanges, usual=False
)
