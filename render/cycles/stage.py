"""What stands in front of the camera, as plain data. One unit is one millimetre.

A part and its lights describe themselves by these; only the tracer turns them into Blender objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from render.cycles.materials import Shader

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Mesh:
    """A surface of polygons.

    Attributes:
        name: unique on its stage.
        vertices: (N, 3) in mm.
        faces: indices of each polygon's corners, counter-clockwise seen from outside.
        materials: what the faces are made of.
        material_of: index into `materials`, one a face; empty where all faces have the first.
        maps: texture coordinates by the name of the texture: (C, 2), one row a corner, in the order
            of the faces; (0, 0) is a texture's corner at row 0, column 0, and (1, 1) the opposite.
        smooth: whether light takes the polygons for a smooth surface, as of a round body.
        seen_by_camera: whether the camera sees it; what it reflects or lights is seen in any case.
    """

    name: str
    vertices: npt.NDArray[np.float64]
    faces: tuple[tuple[int, ...], ...]
    materials: tuple[Shader, ...]
    material_of: tuple[int, ...] = ()
    maps: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    smooth: bool = False
    seen_by_camera: bool = True


@dataclass(frozen=True)
class Stage:
    """Everything that a picture is taken of.

    Attributes:
        meshes: surfaces, those of lights included.
        ambient: radiance that comes from everywhere else, grey or red, green and blue.
    """

    meshes: tuple[Mesh, ...]
    ambient: float | Colour = 0.0
