"""A label that stands on its head. Beyond the source; off by default.

A good part that lies the other way round shows its label so as well, but with its foot towards the
middle line as on every good part; here it is the head.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body
from render.parts.connector.flaw import ConnectorFlaw
from stainless.ranges import bounds, shown
from stainless.streams import Draw

if TYPE_CHECKING:
    from render.parts.connector.scene import ConnectorRanges
    from render.parts.connector.shape import Shape

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LabelUpsideDown:
    """The label is turned by half a turn about its own middle."""


@dataclass
class LabelUpsideDownRanges:
    """Nothing is drawn."""

    def validate(self, key: str) -> None:
        """There is nothing to check."""


class _LabelUpsideDown(ConnectorFlaw):
    """See the module."""

    def check(self, ranges: LabelUpsideDownRanges, connector: ConnectorRanges) -> None:
        """Check that there is a label, and that its place tells which way is up."""
        if connector.label is None:
            raise ValueError(
                ": given, expected null: connector.label is null, so none can be turned"
            )
        if bounds(connector.label.above_mm)[0] < 2 * bounds(connector.label.misplaced_mm)[1]:
            raise ValueError(
                ": given, expected null, or connector.label.above_mm of at least twice "
                f"misplaced_mm, not {shown(connector.label.above_mm)}: else a good part that "
                "lies the other way round looks the same"
            )

    def sample(
        self, ranges: LabelUpsideDownRanges, body: Body, draw: Draw
    ) -> list[LabelUpsideDown]:
        """Return the one."""
        return [LabelUpsideDown()]

    def body(self, flaw: LabelUpsideDown, body: Body) -> Body:
        """Turn the label."""
        if body.label is None:
            return body
        label = dataclasses.replace(body.label, angle_rad=body.label.angle_rad + np.pi)
        return dataclasses.replace(body, label=label)

    def region(
        self, flaw: LabelUpsideDown, sound: Shape, shape: Shape, x: Float64, y: Float64
    ) -> Any:
        """Return the strokes that are missing and those that are too many."""
        found = np.zeros(np.shape(x), np.bool_)
        for label in (sound.body.label, shape.body.label):
            if label is not None:
                found |= label.covers(x, y)
        return found


KIND = _LabelUpsideDown(
    index=109,
    stream=8,
    truth="logical",
    ranges=LabelUpsideDownRanges,
    usual=False,
    front_only=True,
)
