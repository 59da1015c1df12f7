"""Defects on a plate's slope map and over the pixels of a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from render.parts.plate.flaw import SurfaceFlaw
from render.parts.plate.registry import FLAWS
from render.parts.plate.surface.parallel_texture import Float32, Window
from render.parts.plate.surface.relief import Box, Float64, turned
from stainless.homography import axis_aligned, project

#: Defects by the name of their kind, in plate coordinates (mm).
Members = Mapping[str, Sequence[Any]]

_Index = npt.NDArray[np.intp]
_MOST_INSTANCES = np.iinfo(np.uint16).max
# Determinant of a homography below which it is none: pixels of 1e-10 mm.
_SINGULAR = 1e-20


@dataclass(frozen=True)
class DefectRaster:
    """Defects over the pixels of a picture; arrays of shape (rows, columns).

    Attributes:
        mask: bool, true where the pixel's centre belongs to a defect.
        instance: uint16, 1-based index over all members, kind by kind in the registry's order; 0
            where none. Where two overlap, the later one.
    """

    mask: npt.NDArray[np.bool_]
    instance: npt.NDArray[np.uint16]


def in_order(members: Members) -> Iterator[tuple[str, SurfaceFlaw, Any]]:
    """Yield (name, kind, member) of all members, in the order that instances count."""
    for name, kind in FLAWS.items():
        for member in members.get(name, ()):
            yield name, kind, member


def add_slopes(
    members: Members, slope_u: Float32, slope_v: Float32, window: Window, angle_rad: float
) -> None:
    """Add the slopes of defects to those of a texture, in place.

    Args:
        members: defects by kind.
        slope_u, slope_v: dz/du and dz/dv on the window, of its shape.
        window: texels in the frame (u, v), the plate's turned by an angle about its centre.
        angle_rad: the angle.
    """
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    texel_to_frame = axis_aligned((window.u_mm, window.v_mm), window.texel_mm)
    texel_to_plate = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ texel_to_frame
    for _, kind, member in in_order(members):
        rows, columns = _near(kind.boxes(member), texel_to_plate, window.shape)
        _, slope_x, slope_y = kind.relief(
            member, *project(texel_to_plate, columns + 0.5, rows + 0.5)
        )
        along, across = turned(slope_x, slope_y, angle_rad)
        slope_u[rows, columns] += along.astype(np.float32)
        slope_v[rows, columns] += across.astype(np.float32)


def rasterize(members: Members, pixel_to_surface: Float64, shape: tuple[int, int]) -> DefectRaster:
    """Label the pixels of a picture, each by the defect at its centre.

    Args:
        members: defects by kind.
        pixel_to_surface: (3, 3) homography from pixels to mm, see `stainless.homography`.
        shape: (rows, columns).

    Raises:
        ValueError: a singular homography, or more than 65535 defects.
    """
    count = sum(1 for _ in in_order(members))
    if count > _MOST_INSTANCES:
        raise ValueError(f"defects: {count}, expected at most {_MOST_INSTANCES}")
    if abs(np.linalg.det(pixel_to_surface)) < _SINGULAR:
        raise ValueError("pixel_to_surface: singular, expected an invertible (3, 3) homography")
    instance = np.zeros(shape, np.uint16)
    for number, (_, kind, member) in enumerate(in_order(members), start=1):
        rows, columns = _near(kind.boxes(member), pixel_to_surface, shape)
        x, y = project(pixel_to_surface, columns + 0.5, rows + 0.5)
        inside = kind.inside(member, kind.relief(member, x, y))
        instance[rows[inside], columns[inside]] = number
    return DefectRaster(instance > 0, instance)


def _near(
    boxes: Sequence[Box], pixel_to_surface: Float64, shape: tuple[int, int]
) -> tuple[_Index, _Index]:
    """Return rows and columns of all pixels whose centre lies in one of the boxes, and some more.

    Every pixel comes once.
    """
    x0, y0, x1, y1 = np.array(boxes, np.float64).T
    x, y = np.stack([x0, x1, x1, x0]), np.stack([y0, y0, y1, y1])
    surface_to_pixel = np.linalg.inv(pixel_to_surface)
    with np.errstate(divide="ignore", invalid="ignore"):
        across, down = project(surface_to_pixel, x, y)
    # A box that reaches behind the camera has no outline in the picture: it may be anywhere.
    weight = np.tensordot(surface_to_pixel[2], np.stack([x, y, np.ones_like(x)]), 1)
    middle = pixel_to_surface[2] @ np.array([shape[1] / 2, shape[0] / 2, 1.0])
    behind = (weight * middle <= 0).any(axis=0)
    edges = []
    for position, size in ((down, shape[0]), (across, shape[1])):
        low = np.clip(np.floor(position.min(axis=0) - 0.5), 0, size)
        high = np.clip(np.ceil(position.max(axis=0) + 0.5), 0, size)
        edges += [np.where(behind, 0, low), np.where(behind, size, high)]
    top, bottom, left, right = np.array(edges).astype(np.intp)

    # Only that rectangle of the picture which any box meets is evaluated.
    row, column = top.min(), left.min()
    near = np.zeros((max(bottom.max() - row, 0), max(right.max() - column, 0)), np.bool_)
    for a, b, c, d in zip(top - row, bottom - row, left - column, right - column, strict=True):
        near[a:b, c:d] = True
    rows, columns = np.nonzero(near)
    return rows + row, columns + column
