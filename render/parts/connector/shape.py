"""The shape of a connector with what is wrong with it, in the front's frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body, Hole
from render.parts.connector.flaw import ConnectorFlaw
from render.parts.connector.outline import outline, within
from render.parts.connector.registry import FLAWS

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

#: Flaws by the name of their kind.
Members = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Shape:
    """One sheet.

    Attributes:
        body: its numbers.
        outline: (N, 2) in mm, counter-clockwise.
    """

    body: Body
    outline: Float64

    def solid(self, x: Float64, y: Float64) -> Bool:
        """Return which points of the front's plane lie on the sheet."""
        inside = within(self.outline, x, y)
        for hole in self.body.holes:
            inside &= hole.distance(x, y) > hole.radius_mm
        return inside


def in_order(members: Members) -> Iterator[tuple[ConnectorFlaw, Any]]:
    """Yield kind and flaw of all that is wrong, in the order that instances count."""
    for name, kind in FLAWS.items():
        for flaw in members.get(name, ()):
            yield kind, flaw


def shape_of(body: Body, members: Members) -> Shape:
    """Return the shape of a body with its flaws."""
    for kind, flaw in in_order(members):
        body = kind.body(flaw, body)
    line = outline(body)
    for kind, flaw in in_order(members):
        line = kind.outline(flaw, line)
    return Shape(body, line)


def mirrored(line: Float64) -> Float64:
    """Return a line as it is seen from behind, with what is solid still on its left."""
    return np.asarray((line * np.array([-1.0, 1.0]))[::-1])


def seen_hole(hole: Hole, front: bool) -> Hole:
    """Return a hole as it is seen."""
    return hole if front else Hole(-hole.x_mm, hole.y_mm, hole.radius_mm, hole.bevel_mm)
