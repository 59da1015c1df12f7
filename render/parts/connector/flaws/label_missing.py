"""A front without its label. Beyond the source; off by default."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body
from render.parts.connector.flaw import ConnectorFlaw
from stainless.streams import Draw

if TYPE_CHECKING:
    from render.parts.connector.scene import ConnectorRanges
    from render.parts.connector.shape import Shape

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LabelMissing:
    """Nothing is where the label should be."""


@dataclass
class LabelMissingRanges:
    """Nothing is drawn."""

    def validate(self, key: str) -> None:
        """There is nothing to check."""


class _LabelMissing(ConnectorFlaw):
    """See the module."""

    def check(self, ranges: LabelMissingRanges, connector: ConnectorRanges) -> None:
        """Check that there is a label."""
        if connector.label is None:
            raise ValueError(": given, expected null: connector.label is null, so none can miss")

    def sample(self, ranges: LabelMissingRanges, body: Body, draw: Draw) -> list[LabelMissing]:
        """Return the one."""
        return [LabelMissing()]

    def body(self, flaw: LabelMissing, body: Body) -> Body:
        """Leave the label out."""
        return dataclasses.replace(body, label=None)

    def region(self, flaw: LabelMissing, sound: Shape, shape: Shape, x: Float64, y: Float64) -> Any:
        """Return the strokes that are missing."""
        if sound.body.label is None:
            return np.zeros(np.shape(x), np.bool_)
        return sound.body.label.covers(x, y)


KIND = _LabelMissing(
    index=108,
    stream=7,
    truth="logical",
    ranges=LabelMissingRanges,
    usual=False,
    front_only=True,
)
