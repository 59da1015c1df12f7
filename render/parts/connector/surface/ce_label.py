"""The CE label of a connector after DIN EN 14545: the mark and its text, stamped or printed.

The mark is drawn as Regulation (EC) 765/2008, Annex II, has it: arcs of two circles of one size
whose middles are 1.7 radii apart. The text is of single strokes, as a stamp engraves it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from stainless.ranges import Range, bounds, check_range
from stainless.streams import Draw

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_PX_PER_MM = 24
_FONT = cv2.FONT_HERSHEY_SIMPLEX
#: Height of the font's capitals at scale 1, in pixels.
_CAPITAL_PX = 21.0
_MARGIN_MM = 0.6


@dataclass(frozen=True)
class CeLabel:
    """One label.

    Attributes:
        x_mm, y_mm: its middle, on the front.
        angle_rad: against the sheet's x axis.
        height_mm: of the CE mark.
        stroke_mm: width of its strokes.
        lines: of text beside the mark.
        embossed: whether it is stamped into the sheet instead of printed on it.
        depth_mm: of the stamp.
        ink: how much of the metal a printed label hides, 0 to 1.
    """

    x_mm: float
    y_mm: float
    angle_rad: float
    height_mm: float
    stroke_mm: float
    lines: tuple[str, ...]
    embossed: bool
    depth_mm: float
    ink: float

    def half_size_mm(self) -> tuple[float, float]:
        """Return half the extent along and across, of a label that lies straight."""
        rows, columns = drawing(self.lines, self.height_mm, self.stroke_mm).shape
        return columns / _PX_PER_MM / 2, rows / _PX_PER_MM / 2

    def strokes(self, x: Float64, y: Float64) -> Float32:
        """Return how much of a stroke is at points of the front, 0 to 1; arrays (H, W)."""
        return self._at(drawing(self.lines, self.height_mm, self.stroke_mm), x, y)

    def covers(self, x: Float64, y: Float64) -> npt.NDArray[np.bool_]:
        """Return which points its mask holds: strokes and what is pressed down beside them."""
        return self._at(widened(self.lines, self.height_mm, self.stroke_mm), x, y) > 0.5

    def _at(self, picture: Float32, x: Float64, y: Float64) -> Float32:
        """Return a drawing of the label at points of the front."""
        cos, sin = np.cos(self.angle_rad), np.sin(self.angle_rad)
        u = cos * (x - self.x_mm) + sin * (y - self.y_mm)
        v = -sin * (x - self.x_mm) + cos * (y - self.y_mm)
        across = u * _PX_PER_MM + picture.shape[1] / 2 - 0.5
        down = -v * _PX_PER_MM + picture.shape[0] / 2 - 0.5
        found = cv2.remap(
            picture, across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR
        )
        return np.asarray(found, np.float32)


@dataclass
class CeLabelRanges:
    """What the label draws from.

    Attributes:
        how: whether labels are stamped into the sheet or printed on it.
        above_mm: distance of its middle from the sheet's middle line, to which its foot points.
        height_mm: of the CE mark.
        stroke_mm: width of the strokes.
        misplaced_mm: largest error of its place along x and y.
        misturned_deg: largest error of its angle.
        depth_mm: depth of a stamped label.
        ink: how much of the metal a printed label hides.
        lines: of text beside the mark.
    """

    how: Literal["embossed", "printed"] = "embossed"
    above_mm: Range = 4.0
    height_mm: Range = 5.0
    stroke_mm: Range = (0.55, 0.65)
    misplaced_mm: Range = (0.0, 0.8)
    misturned_deg: Range = (0.0, 2.0)
    depth_mm: Range = (0.16, 0.24)
    ink: Range = (0.75, 0.9)
    lines: list[str] = field(default_factory=lambda: ["EN 14545", "100x35x2"])

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.above_mm", self.above_mm, 0.0, 50.0)
        check_range(f"{key}.height_mm", self.height_mm, 0.5, 50.0)
        check_range(f"{key}.stroke_mm", self.stroke_mm, 0.05, 5.0)
        check_range(f"{key}.misplaced_mm", self.misplaced_mm, 0.0, 5.0)
        check_range(f"{key}.misturned_deg", self.misturned_deg, 0.0, 20.0)
        check_range(f"{key}.depth_mm", self.depth_mm, 0.0, 1.0)
        check_range(f"{key}.ink", self.ink, 0.0, 1.0)
        if len(self.lines) > 4 or not all(
            line.isascii() and len(line) <= 20 for line in self.lines
        ):
            raise ValueError(
                f"{key}.lines: {self.lines}, expected at most 4 lines of at most 20 ASCII letters"
            )

    def half_size_mm(self) -> tuple[float, float]:
        """Return half the extent of the largest label."""
        height, stroke = bounds(self.height_mm)[1], bounds(self.stroke_mm)[1]
        rows, columns = drawing(tuple(self.lines), height, stroke).shape
        return columns / _PX_PER_MM / 2, rows / _PX_PER_MM / 2


def sample_ce_label(ranges: CeLabelRanges, draw: Draw) -> CeLabel:
    """Draw one label, near the middle of the sheet."""
    return CeLabel(
        x_mm=draw.around(ranges.misplaced_mm),
        y_mm=draw(ranges.above_mm) + draw.around(ranges.misplaced_mm),
        angle_rad=float(np.radians(draw.around(ranges.misturned_deg))),
        height_mm=draw(ranges.height_mm),
        stroke_mm=draw(ranges.stroke_mm),
        lines=tuple(ranges.lines),
        embossed=ranges.how == "embossed",
        depth_mm=draw(ranges.depth_mm),
        ink=draw(ranges.ink),
    )


@lru_cache(maxsize=64)
def drawing(lines: tuple[str, ...], height_mm: float, stroke_mm: float) -> Float32:
    """Return a label that lies straight, (H, W), 1 in its strokes; 24 pixels are a millimetre."""
    stroke = max(1, round(stroke_mm * _PX_PER_MM))
    radius = height_mm / 2 * _PX_PER_MM - stroke / 2
    mark_mm = (2 + 1.7) * radius / _PX_PER_MM
    text_height_mm = 0.30 * height_mm if len(lines) > 2 else 0.38 * height_mm
    scale = text_height_mm * _PX_PER_MM / _CAPITAL_PX
    thin = max(1, round(0.62 * stroke))
    widths = [cv2.getTextSize(line, _FONT, scale, thin)[0][0] / _PX_PER_MM for line in lines]
    text_mm = max(widths, default=0.0)
    size = (
        mark_mm + (1.0 + text_mm if lines else 0.0) + 2 * _MARGIN_MM,
        height_mm + 2 * _MARGIN_MM,
    )
    columns, rows = (round(edge * _PX_PER_MM) for edge in size)
    picture = np.zeros((rows, columns), np.uint8)
    middle = rows / 2
    for place in (0.0, 1.7):
        centre = (_MARGIN_MM * _PX_PER_MM + radius + stroke / 2 + place * radius, middle)
        _arc(picture, centre, radius, stroke)
        if place:
            end = (centre[0] - 0.1 * radius, middle)
            cv2.line(picture, _point((centre[0] - radius, middle)), _point(end), 255, stroke, 16, 4)
    left = _MARGIN_MM + mark_mm + 1.0
    for number, line in enumerate(lines):
        share = (number + 0.5) / len(lines)
        base = rows * share * 0.92 + rows * 0.04 + text_height_mm * _PX_PER_MM / 2
        cv2.putText(
            picture, line, (round(left * _PX_PER_MM), round(base)), _FONT, scale, 255, thin, 16
        )
    return picture.astype(np.float32) / 255


@lru_cache(maxsize=64)
def widened(lines: tuple[str, ...], height_mm: float, stroke_mm: float) -> Float32:
    """Return `drawing` with what lies within 0.25 mm of a stroke."""
    reach = round(0.25 * _PX_PER_MM)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    solid = (drawing(lines, height_mm, stroke_mm) > 0.3).astype(np.float32)
    return np.asarray(cv2.dilate(solid, disc), np.float32)


def _arc(
    picture: npt.NDArray[np.uint8], centre: tuple[float, float], radius: float, stroke: int
) -> None:
    """Draw the left half of a circle and a little more."""
    angles = np.radians(np.linspace(85, 275, 96))
    points = np.c_[centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)]
    cv2.polylines(picture, [np.rint(points * 16).astype(np.int32)], False, 255, stroke, 16, 4)


def _point(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0] * 16), round(point[1] * 16)
