"""What a view shows of the plate's surface, as maps for the renderer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from impurities.registry import IMPURITIES
from render.camera import View, footprint
from render.parts.plate.cover import cover
from render.parts.plate.defects import Members, add_slopes
from render.parts.plate.sample import PlateSample
from render.parts.plate.scene import PlateScene
from render.parts.plate.stage import PlateMap
from render.parts.plate.surface.parallel_texture import Float32, Window, slope_map

#: Surface beyond the picture's edge that the maps still hold (mm).
MARGIN_MM = 0.2


def normal_map(
    scene: PlateScene, plate: PlateSample, view: View, shape: tuple[int, int]
) -> PlateMap:
    """Return the surface normals of what a view shows of the plate, in plate axes."""
    return normal_maps(scene, plate, view, shape, [plate.defects])[0]


def normal_maps(
    scene: PlateScene,
    plate: PlateSample,
    view: View,
    shape: tuple[int, int],
    versions: Sequence[Members],
) -> list[PlateMap]:
    """Return the normals of a plate with different defects; its texture is computed once."""
    texture = plate.texture
    angle, texel = texture.angle_rad, scene.texture.texel_um / 1000
    width, height, _ = scene.plate.size_mm
    cos, sin = abs(np.cos(angle)), abs(np.sin(angle))
    half = np.array([width * cos + height * sin, width * sin + height * cos]) / 2
    low, high = footprint(view, shape, angle)
    # A view beside the plate still gets a strip of it.
    low, high = np.clip(low, -half, half) - MARGIN_MM, np.clip(high, -half, half) + MARGIN_MM
    columns, rows = np.ceil((high - low) / texel).astype(int)
    window = Window(float(low[0]), float(low[1]), texel, (int(rows), int(columns)))
    # One millimetre beyond the plate's half diagonal holds every window, whatever its angle.
    reach = float(np.hypot(width, height) / 2 + 1)
    finish = slope_map(texture, window, reach)
    return [_normals(window, angle, finish, defects) for defects in versions]


def _normals(
    window: Window, angle: float, finish: tuple[Float32, Float32], defects: Members
) -> PlateMap:
    """Return the normals of a finish with defects."""
    slope_u, slope_v = (slope.copy() for slope in finish) if any(defects.values()) else finish
    add_slopes(defects, slope_u, slope_v, window, angle)
    normals = np.empty((*window.shape, 3), np.float32)
    normals[..., 0] = np.sin(angle) * slope_v - np.cos(angle) * slope_u
    normals[..., 1] = -np.sin(angle) * slope_u - np.cos(angle) * slope_v
    normals[..., 2] = 1
    texel = window.texel_mm
    return PlateMap(
        normals,
        (window.u_mm, window.v_mm),
        (window.u_mm + window.shape[1] * texel, window.v_mm + window.shape[0] * texel),
        angle,
    )


def reflectance_map(plate: PlateSample, normals: PlateMap) -> PlateMap:
    """Return the reflectance with impurities on the texels of the normal map."""
    reflectance = plate.metal.reflectance
    shape = normals.pixels.shape[0], normals.pixels.shape[1]
    painted = cover(plate.impurities, texel_to_plate(normals), shape, reflectance)
    pixels = np.repeat((painted.ratio * np.float32(reflectance))[..., None], 3, axis=2)
    return PlateMap(pixels, normals.low_mm, normals.high_mm, normals.angle_rad)


def texel_to_plate(layout: PlateMap) -> npt.NDArray[np.float64]:
    """Return the (3, 3) homography from texels of a map to plate coordinates (mm)."""
    rows, columns = layout.pixels.shape[:2]
    (u0, v0), (u1, v1) = layout.low_mm, layout.high_mm
    step_u, step_v = (u1 - u0) / columns, (v1 - v0) / rows
    cos, sin = np.cos(layout.angle_rad), np.sin(layout.angle_rad)
    return np.array(
        [
            [cos * step_u, -sin * step_v, cos * u0 - sin * v0],
            [sin * step_u, cos * step_v, sin * u0 + cos * v0],
            [0, 0, 1],
        ]
    )


def with_diffuse(plate: PlateSample, normals: PlateMap) -> tuple[PlateMap, PlateMap | None]:
    """Lay the impurities that hide the metal over a view's maps.

    Returns:
        The normals with what these raise, and a map of the share of diffuse material and of its
        albedo (first and second channel), or None where the view shows none.
    """
    shape = normals.pixels.shape[0], normals.pixels.shape[1]
    diffuse = np.zeros((*shape, 3), np.float32)
    raised = normals.pixels.copy()
    for name, impurity in IMPURITIES.items():
        members = plate.impurities.get(name, [])
        if not impurity.diffuse or not members:
            continue
        grid = texel_to_plate(normals)
        raster = impurity.rasterize(members, grid, shape, plate.metal.reflectance, 1)
        over, albedo, slope_x, slope_y = (
            raster.diffuse,
            raster.albedo,
            raster.slope_x,
            raster.slope_y,
        )
        if over is None or albedo is None or slope_x is None or slope_y is None:
            raise TypeError(f"{name} is registered as diffuse, but its raster is not")
        below = diffuse[..., 0] * (1 - over)
        total = over + below
        mixed = albedo * over + diffuse[..., 1] * below
        diffuse[..., 1] = np.divide(mixed, total, out=np.zeros_like(mixed), where=total > 0)
        diffuse[..., 0] = total
        # The metal's finish does not show through; what raises the piece does.
        raised[..., 0] = raised[..., 0] * (1 - over) - slope_x
        raised[..., 1] = raised[..., 1] * (1 - over) - slope_y
    if not diffuse[..., 0].any():
        return normals, None
    place = normals.low_mm, normals.high_mm, normals.angle_rad
    return PlateMap(raised, *place), PlateMap(diffuse, *place)
