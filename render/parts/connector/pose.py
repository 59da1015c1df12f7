"""How a connector lies under the camera: turned and put down by hand for each picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stainless.ranges import Range, check_range
from stainless.streams import Draw

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """One pose.

    Attributes:
        x_mm, y_mm: where the part's middle lies.
        turn_rad: of the part's x axis against the world's.
    """

    x_mm: float
    y_mm: float
    turn_rad: float

    def to_world(self, x: Float64, y: Float64) -> tuple[Float64, Float64]:
        """Return where points of the part lie."""
        cos, sin = np.cos(self.turn_rad), np.sin(self.turn_rad)
        return self.x_mm + cos * x - sin * y, self.y_mm + sin * x + cos * y

    def to_part(self, x: Float64, y: Float64) -> tuple[Float64, Float64]:
        """Return which points of the part lie at points of the world."""
        cos, sin = np.cos(self.turn_rad), np.sin(self.turn_rad)
        dx, dy = x - self.x_mm, y - self.y_mm
        return cos * dx + sin * dy, -sin * dx + cos * dy

    def of(self, x_mm: float, y_mm: float, turn_rad: float) -> Pose:
        """Return the pose of what lies at a place of the part, turned against it."""
        x, y = self.to_world(np.array(x_mm), np.array(y_mm))
        return Pose(float(x), float(y), self.turn_rad + turn_rad)


@dataclass
class PoseRanges:
    """What the pose of each picture draws from.

    Attributes:
        turn_deg: largest turn against the picture's rows, either way.
        half_turns: share of the pictures for which the part is turned by half a turn as well.
        shift_mm: largest shift of the part's middle along x and y.
    """

    turn_deg: Range = 12.0
    half_turns: Range = 0.5
    shift_mm: Range = 2.5

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.turn_deg", self.turn_deg, 0.0, 180.0)
        check_range(f"{key}.half_turns", self.half_turns, 0.0, 1.0)
        check_range(f"{key}.shift_mm", self.shift_mm, 0.0, 1000.0)


def sample_pose(ranges: PoseRanges, draw: Draw) -> Pose:
    """Draw one pose."""
    turn = np.radians(draw.around(ranges.turn_deg))
    half = draw.rng.random() < draw(ranges.half_turns)
    x, y = draw.around(ranges.shift_mm), draw.around(ranges.shift_mm)
    return Pose(x, y, float(turn + np.pi * half))
