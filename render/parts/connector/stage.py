"""Connectors on their cloth under the softbox, as they stand in front of the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from render.cycles.materials import Channel, Diffuse, Glossy, Mix, Shader, Texture
from render.cycles.stage import Mesh, Stage
from render.lights.softbox import Softbox, panel
from render.parts.connector.mesh import flat, rim
from render.parts.connector.outline import circle, inset
from render.parts.connector.pose import Pose
from render.parts.connector.shape import Shape, mirrored, seen_hole
from render.parts.connector.surface.cloth import Cloth, kept_surface
from render.parts.connector.surface.zinc import Coat, Finish

Float64 = npt.NDArray[np.float64]

Box = tuple[tuple[float, float], tuple[float, float]]

#: Half the cloth's extent along x and y; it reaches beyond every picture.
_CLOTH_MM = 400.0


@dataclass(frozen=True)
class Placed:
    """One connector on a stage.

    Attributes:
        shape: its shape.
        front: whether its front is up.
        pose: how it lies.
        height_mm: of its top face over z = 0.
        coat: what its rims are made of.
        finish: of its top face, over `box`.
        box: low and high corner of the finish, in the frame of the side that is up.
    """

    shape: Shape
    front: bool
    pose: Pose
    height_mm: float
    coat: Coat
    finish: Finish
    box: Box


def stage_of(
    parts: list[Placed], cloth: Cloth, window: Box, texel_mm: float, light: Softbox
) -> Stage:
    """Return the stage.

    Args:
        parts: what lies on the cloth, from below.
        cloth: it lies one thickness below z = 0.
        window: low and high corner of what is seen of the cloth.
        texel_mm: edge of a texel of the cloth.
        light: the softbox.
    """
    meshes: list[Mesh] = []
    for number, part in enumerate(parts):
        meshes += _meshes(part, f"connector_{number}")
    level = -parts[0].shape.body.thickness_mm
    return Stage((*meshes, _cloth(cloth, window, texel_mm, level), panel(light)), light.ambient)


def _meshes(part: Placed, name: str) -> list[Mesh]:
    """Return a connector: its top face, and its rims with the walls below them."""
    body = part.shape.body
    edge = part.shape.outline if part.front else mirrored(part.shape.outline)
    holes = [seen_hole(hole, part.front) for hole in body.holes]
    corners, faces = flat(
        [inset(edge, body.bevel_mm), *(circle(hole, hole.reach_mm) for hole in holes)]
    )
    (x0, y0), (x1, y1) = part.box
    uv = np.c_[(corners[:, 0] - x0) / (x1 - x0), (corners[:, 1] - y0) / (y1 - y0)]
    shader, names = _material(part.finish, part.pose.turn_rad, name)
    top = Mesh(
        f"{name}_top",
        _in_world(part, np.c_[corners, np.zeros(len(corners))]),
        faces,
        (shader,),
        maps=dict.fromkeys(names, uv[np.array(faces).ravel()]),
    )
    coat = Mix(
        part.coat.diffuse, Glossy(part.coat.colour, part.coat.roughness), Diffuse(part.coat.colour)
    )
    rims = [rim(edge, body.bevel_mm, body.thickness_mm)]
    # Both a top and its rim have as many corners round a hole, at the same angles.
    for hole in holes:
        count = len(circle(hole, hole.reach_mm))
        turn = -2 * np.pi * np.arange(count) / count
        round_ = np.c_[np.cos(turn), np.sin(turn)] * hole.radius_mm + [hole.x_mm, hole.y_mm]
        rims.append(rim(round_, hole.bevel_mm, body.thickness_mm))
    return [
        top,
        *(
            Mesh(f"{name}_rim_{k}", _in_world(part, points), sides, (coat,), smooth=True)
            for k, (points, sides) in enumerate(rims)
        ),
    ]


def _in_world(part: Placed, points: Float64) -> Float64:
    """Return points of a part in the world."""
    x, y = part.pose.to_world(points[:, 0], points[:, 1])
    return np.c_[x, y, points[:, 2] + part.height_mm]


def _material(finish: Finish, turn_rad: float, name: str) -> tuple[Shader, list[str]]:
    """Return the material of a top face, and the names of its textures."""
    cos, sin = np.float32(np.cos(turn_rad)), np.float32(np.sin(turn_rad))
    x, y = cos * finish.slope_x - sin * finish.slope_y, sin * finish.slope_x + cos * finish.slope_y
    grain = finish.grain_rad + np.float32(turn_rad)
    one, none = np.ones_like(x), np.zeros_like(x)
    colour = Texture(f"{name}_colour", finish.colour)
    normal = Texture(f"{name}_normal", np.stack([-x, -y, one], axis=-1))
    tangent = Texture(f"{name}_tangent", np.stack([np.cos(grain), np.sin(grain), none], axis=-1))
    optics = Texture(
        f"{name}_optics",
        np.stack([finish.roughness, finish.anisotropy, finish.diffuse], axis=-1),
    )
    shader = Mix(
        Channel(optics, 2),
        Glossy(colour, Channel(optics, 0), Channel(optics, 1), tangent, normal),
        Diffuse(colour, normal=normal),
    )
    return shader, [texture.name for texture in (colour, normal, tangent, optics)]


def _cloth(cloth: Cloth, window: Box, texel_mm: float, level_mm: float) -> Mesh:
    """Return the cloth: a plane whose threads are drawn where it is seen."""
    colour, normal = kept_surface(cloth, *window, texel_mm)
    edge = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * _CLOTH_MM
    (x0, y0), (x1, y1) = window
    uv = np.c_[(edge[:, 0] - x0) / (x1 - x0), (edge[:, 1] - y0) / (y1 - y0)]
    textures = Texture("cloth_colour", colour), Texture("cloth_normal", normal)
    return Mesh(
        "cloth",
        np.c_[edge, np.full(4, level_mm)],
        ((0, 1, 2, 3),),
        (Diffuse(textures[0], 0.6, textures[1]),),
        maps={texture.name: uv for texture in textures},
    )
