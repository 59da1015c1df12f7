"""The plate under its ring light, as it stands in front of the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from render.cycles.materials import Channel, Diffuse, Glossy, Mix, Shader, Texture
from render.cycles.stage import Mesh, Stage
from render.lights.ring import HexagonLight, bars
from render.parts.plate.surface.metal import Metal

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PlateMap:
    """A picture on the plate.

    Attributes:
        pixels: (H, W, 3) float32; row 0 is at low v.
        low_mm, high_mm: corners (u, v) of the map in the plate frame turned by `angle_rad`.
        angle_rad: the turn.
    """

    pixels: Float32
    low_mm: tuple[float, float]
    high_mm: tuple[float, float]
    angle_rad: float

    def coordinates(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Any:
        """Return the texture coordinates (s, t) of plate points, each in [0, 1] on the map."""
        u = np.cos(self.angle_rad) * x + np.sin(self.angle_rad) * y
        v = -np.sin(self.angle_rad) * x + np.cos(self.angle_rad) * y
        (u0, v0), (u1, v1) = self.low_mm, self.high_mm
        return (u - u0) / (u1 - u0), (v - v0) / (v1 - v0)


def plate(
    size_mm: tuple[float, float, float],
    metal: Metal,
    normals: PlateMap,
    reflectance: PlateMap | None = None,
    diffuse: PlateMap | None = None,
) -> Mesh:
    """Return the plate, its top face at z = 0, grooves along the normals' u axis.

    Args:
        size_mm: extent along x, y and z.
        metal: its optical surface.
        normals: surface normals in plate axes (need not have unit length).
        reflectance: reflectance per point instead of the metal's own.
        diffuse: share of diffuse material and its albedo per point (first and second channel).
    """
    x, y, z = size_mm[0] / 2, size_mm[1] / 2, size_mm[2]
    around = np.array([(-x, -y), (x, -y), (x, y), (-x, y)])
    vertices = np.vstack([np.c_[around, np.zeros(4)], np.c_[around, np.full(4, -z)]])
    sides = [(i + 4, (i + 1) % 4 + 4, (i + 1) % 4, i) for i in range(4)]
    faces = ((0, 1, 2, 3), (7, 6, 5, 4), *sides)
    maps = {}
    for name, layout in (("normals", normals), ("reflectance", reflectance), ("diffuse", diffuse)):
        if layout is not None:
            # Only the top face, which comes first, shows maps.
            maps[name] = np.zeros((sum(map(len, faces)), 2))
            maps[name][:4] = np.transpose(layout.coordinates(*around.T))
    top = _top_face(metal, normals, reflectance, diffuse)
    cut = Glossy(metal.reflectance, metal.roughness)
    return Mesh("plate", vertices, faces, (top, cut), (0, 1, 1, 1, 1, 1), maps)


def _top_face(
    metal: Metal, normals: PlateMap, reflectance: PlateMap | None, diffuse: PlateMap | None
) -> Shader:
    """Return the top face's material: an anisotropic lobe around mapped normals, and its cover."""
    normal = Texture("normals", normals.pixels)
    lobe = Glossy(
        metal.reflectance if reflectance is None else Texture("reflectance", reflectance.pixels),
        metal.roughness,
        metal.anisotropy,
        (float(np.cos(normals.angle_rad)), float(np.sin(normals.angle_rad)), 0.0),
        normal,
    )
    if diffuse is None:
        return lobe
    cover = Texture("diffuse", diffuse.pixels)
    return Mix(Channel(cover, 0), lobe, Diffuse(Channel(cover, 1), normal=normal))


def stage_of(
    plate_size_mm: tuple[float, float, float],
    metal: Metal,
    light: HexagonLight,
    normals: PlateMap,
    reflectance: PlateMap | None = None,
    diffuse: PlateMap | None = None,
) -> Stage:
    """Return the plate under its ring light.

    Args:
        plate_size_mm: extent of the plate along x, y and z.
        metal: its optical surface.
        light: the ring light.
        normals, reflectance, diffuse: maps of its top face; see `plate`.
    """
    top = plate(plate_size_mm, metal, normals, reflectance, diffuse)
    return Stage((top, *bars(light)), light.ambient)
