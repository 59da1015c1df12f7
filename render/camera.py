"""Pinhole camera over the plate: where each pixel looks.

World frame: millimetres, origin in the middle of the plate's top face, z up, y up in the picture.
Pixel frame: origin in the upper left corner of the picture, x right, y down; the centre of the
pixel in row i and column j is (j + 0.5, i + 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """One camera position over a sample.

    Attributes:
        x_mm, y_mm: the point of the plate under the camera.
        distance_mm: height of the pinhole over the plate.
        field_of_view_mm: width of the plate that the picture shows at that distance.
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


def pixel_to_plate(view: View, shape: tuple[int, int]) -> Float64:
    """Return the homography from pixel to plate coordinates.

    Args:
        view: the camera.
        shape: rows and columns of the picture.

    Returns:
        (3, 3) matrix H; the plate point (mm) of pixel point (x, y) is (X / W, Y / W) with
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


def project(homography: Float64, x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """Apply a (3, 3) homography to points of any shape."""
    weight = homography[2, 0] * x + homography[2, 1] * y + homography[2, 2]
    return (
        (homography[0, 0] * x + homography[0, 1] * y + homography[0, 2]) / weight,
        (homography[1, 0] * x + homography[1, 1] * y + homography[1, 2]) / weight,
    )


def footprint(view: View, shape: tuple[int, int], angle_rad: float = 0.0) -> Float64:
    """Return the bounding box of what the picture shows.

    Args:
        view: the camera.
        shape: rows and columns of the picture.
        angle_rad: the box's axes are the plate's, turned by this angle.

    Returns:
        (2, 2) array: low and high corner (mm) in the turned frame.
    """
    rows, columns = shape
    x, y = project(
        pixel_to_plate(view, shape),
        np.array([0.0, columns, columns, 0.0]),
        np.array([0.0, 0.0, rows, rows]),
    )
    u = np.cos(angle_rad) * x + np.sin(angle_rad) * y
    v = -np.sin(angle_rad) * x + np.cos(angle_rad) * y
    return np.array([[u.min(), v.min()], [u.max(), v.max()]])
