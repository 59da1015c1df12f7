"""Pinhole camera over the part: which point each pixel shows.

World frame: millimetres, origin in the middle of the part's top face, z up, y up in the picture.
Pixel frame: origin in the upper left corner of the picture, x right, y down; the centre of the
pixel in row i and column j is (j + 0.5, i + 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stainless.homography import project
from stainless.ranges import Range, bounds, check_range
from stainless.streams import Draw

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """One camera position over a sample.

    Attributes:
        x_mm, y_mm: the point of the part under the camera.
        distance_mm: height of the pinhole over the part.
        field_of_view_mm: width of the part that the picture shows at that distance.
        roll_rad: turn about the optical axis.
        tilt_x_rad, tilt_y_rad: tilt about the camera's x and y axes.
    """

    x_mm: float
    y_mm: float
    distance_mm: float
    field_of_view_mm: float
    roll_rad: float = 0.0
    tilt_x_rad: float = 0.0
    tilt_y_rad: float = 0.0

    def rotation(self) -> Float64:
        """Return the (3, 3) matrix from camera axes (x right, y up, looking along -z) to world."""
        cr, sr = np.cos(self.roll_rad), np.sin(self.roll_rad)
        cx, sx = np.cos(self.tilt_x_rad), np.sin(self.tilt_x_rad)
        cy, sy = np.cos(self.tilt_y_rad), np.sin(self.tilt_y_rad)
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        tilt_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        tilt_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        return np.asarray(roll @ tilt_x @ tilt_y)

    def position(self) -> Float64:
        """Return the pinhole's place in the world (mm)."""
        return np.array([self.x_mm, self.y_mm, self.distance_mm])


def pixel_to_plane(view: View, shape: tuple[int, int]) -> Float64:
    """Return the homography from pixel to the plane z = 0, the top of a flat part.

    Args:
        view: the camera.
        shape: rows and columns of the picture.

    Returns:
        (3, 3) matrix H; the point (mm) of pixel point (x, y) is (X / W, Y / W) with
        (X, Y, W) = H (x, y, 1).
    """
    rows, columns = shape
    pixel = view.field_of_view_mm / view.distance_mm / columns
    to_ray = np.array(
        [
            [pixel, 0, -pixel * columns / 2],
            [0, -pixel, pixel * rows / 2],
            [0, 0, -1],
        ]
    )
    ray = view.rotation() @ to_ray
    # A point of the ray meets z = 0 at position - ray * distance / ray_z.
    homography = np.stack(
        [
            view.x_mm * ray[2] - view.distance_mm * ray[0],
            view.y_mm * ray[2] - view.distance_mm * ray[1],
            ray[2],
        ]
    )
    return np.asarray(homography / homography[2, 2])


def footprint(view: View, shape: tuple[int, int], angle_rad: float = 0.0) -> Float64:
    """Return the bounding box of what the picture shows.

    Args:
        view: the camera.
        shape: rows and columns of the picture.
        angle_rad: the box's axes are the part's, turned by this angle.

    Returns:
        (2, 2) array: low and high corner (mm) in the turned frame.
    """
    rows, columns = shape
    x, y = project(
        pixel_to_plane(view, shape),
        np.array([0.0, columns, columns, 0.0]),
        np.array([0.0, 0.0, rows, rows]),
    )
    u = np.cos(angle_rad) * x + np.sin(angle_rad) * y
    v = -np.sin(angle_rad) * x + np.cos(angle_rad) * y
    return np.array([[u.min(), v.min()], [u.max(), v.max()]])


@dataclass
class CameraRanges:
    """What the camera draws from.

    Attributes:
        resolution_px: columns and rows of a picture at full scale.
        field_of_view_mm: width of the part that a picture shows.
        distance_mm: height of the pinhole over the part.
        views: columns and rows of the grid of views over the part; [1, 1] is its middle alone.
        pitch_mm: distance between neighbouring views along x and y; [0, 0] where the part is moved
            instead of the camera.
        shift_mm: largest error of the camera's position along x and y.
        roll_deg: largest turn about the optical axis, either way.
        tilt_deg: largest tilt about the camera's x and y axes, either way.
    """

    resolution_px: tuple[int, int] = (2448, 2050)
    field_of_view_mm: Range = 40.0
    distance_mm: Range = 165.7
    views: tuple[int, int] = (1, 1)
    pitch_mm: tuple[float, float] = (36.0, 30.0)
    shift_mm: Range = (0.0, 1.0)
    roll_deg: Range = (0.0, 1.0)
    tilt_deg: Range = (0.0, 0.3)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        if not all(16 <= edge <= 32768 for edge in self.resolution_px):
            raise ValueError(
                f"{key}.resolution_px: {list(self.resolution_px)}, expected 16 to 32768 pixels"
            )
        check_range(f"{key}.field_of_view_mm", self.field_of_view_mm, 0.1, 5000.0)
        check_range(f"{key}.distance_mm", self.distance_mm, 1.0, 10_000.0)
        if not all(1 <= count <= 1000 for count in self.views):
            raise ValueError(f"{key}.views: {list(self.views)}, expected 1 to 1000 along each axis")
        if not all(0 <= pitch <= 5000 for pitch in self.pitch_mm):
            raise ValueError(f"{key}.pitch_mm: {list(self.pitch_mm)}, expected 0 to 5000")
        check_range(f"{key}.shift_mm", self.shift_mm, 0.0, 1000.0)
        check_range(f"{key}.roll_deg", self.roll_deg, 0.0, 180.0)
        check_range(f"{key}.tilt_deg", self.tilt_deg, 0.0, 30.0)

    def steepest_deg(self) -> float:
        """Return the largest angle to the part's normal that a line of sight can have."""
        columns, rows = self.resolution_px
        half_diagonal = bounds(self.field_of_view_mm)[1] / 2 * np.hypot(1, rows / columns)
        tilt = np.hypot(1, 1) * bounds(self.tilt_deg)[1]
        return float(np.degrees(np.arctan(half_diagonal / bounds(self.distance_mm)[0])) + tilt)


def sample_views(ranges: CameraRanges, draw: Draw) -> tuple[View, ...]:
    """Draw one sample's views, row by row from the upper left of the grid."""
    columns, rows = ranges.views
    field_of_view, distance = draw(ranges.field_of_view_mm), draw(ranges.distance_mm)
    return tuple(
        View(
            x_mm=(column - (columns - 1) / 2) * ranges.pitch_mm[0] + draw.around(ranges.shift_mm),
            y_mm=((rows - 1) / 2 - row) * ranges.pitch_mm[1] + draw.around(ranges.shift_mm),
            distance_mm=distance,
            field_of_view_mm=field_of_view,
            roll_rad=float(np.radians(draw.around(ranges.roll_deg))),
            tilt_x_rad=float(np.radians(draw.around(ranges.tilt_deg))),
            tilt_y_rad=float(np.radians(draw.around(ranges.tilt_deg))),
        )
        for row in range(rows)
        for column in range(columns)
    )


def picture_shape(ranges: CameraRanges, scale: float) -> tuple[int, int]:
    """Return rows and columns of a picture at a resolution factor."""
    columns, rows = ranges.resolution_px
    return max(1, round(rows * scale)), max(1, round(columns * scale))
