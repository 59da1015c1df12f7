"""The stage: plate, metal, ring light and camera as Blender objects. One unit is one millimetre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from render.camera import View
from render.lights import HexagonLight, bar_corners
from render.surface.metal import Metal

Float32 = npt.NDArray[np.float32]

SENSOR_MM = 36.0


@dataclass(frozen=True)
class PlateMap:
    """A picture laid onto the plate.

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


def add_plate(
    bpy: Any,
    size_mm: tuple[float, float, float],
    metal: Metal,
    normals: PlateMap,
    reflectance: PlateMap | None = None,
    matte: PlateMap | None = None,
) -> None:
    """Add the plate, its top face at z = 0, grooves along the normals' u axis.

    Args:
        bpy: Blender's module.
        size_mm: extent along x, y and z.
        metal: its optical surface.
        normals: surface normals in plate axes (need not have unit length).
        reflectance: reflectance per point instead of the metal's own, the first channel counts.
        matte: share of diffuse material and its albedo per point (first and second channel).
    """
    x, y, z = size_mm[0] / 2, size_mm[1] / 2, size_mm[2]
    around = [(-x, -y), (x, -y), (x, y), (-x, y)]
    corners = [(*c, 0.0) for c in around] + [(*c, -z) for c in around]
    sides = [(i + 4, (i + 1) % 4 + 4, (i + 1) % 4, i) for i in range(4)]
    mesh = bpy.data.meshes.new("plate")
    mesh.from_pydata(corners, [], [(0, 1, 2, 3), (7, 6, 5, 4), *sides])
    for name, layout in (("normals", normals), ("reflectance", reflectance), ("matte", matte)):
        if layout is not None:
            s, t = layout.coordinates(*np.array(around).T)
            layer = mesh.uv_layers.new(name=name)
            for corner in range(4):
                layer.data[corner].uv = (s[corner], t[corner])
    mesh.materials.append(_top_face(bpy, metal, normals, reflectance, matte))
    mesh.materials.append(_plain_metal(bpy, metal))
    for face in mesh.polygons[1:]:
        face.material_index = 1
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("plate", mesh))


def add_light(bpy: Any, light: HexagonLight) -> None:
    """Add the ring light, invisible to the camera, and the ambient light."""
    for side, corners in enumerate(bar_corners(light)):
        name = f"bar_{side}"
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata([tuple(c) for c in corners], [], [(0, 1, 2, 3)])
        mesh.materials.append(_emitter(bpy, name, light.radiance[side]))
        bar = bpy.data.objects.new(name, mesh)
        bar.visible_camera = False
        bpy.context.scene.collection.objects.link(bar)
    world = bpy.data.worlds.new("ambient")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (1, 1, 1, 1)
    background.inputs["Strength"].default_value = light.ambient
    bpy.context.scene.world = world


def add_camera(bpy: Any, view: View) -> None:
    """Add the camera and make it the scene's."""
    from mathutils import Matrix

    data = bpy.data.cameras.new("camera")
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR_MM
    data.lens = SENSOR_MM * view.distance_mm / view.field_of_view_mm
    data.clip_start, data.clip_end = 1.0, 10 * view.distance_mm
    camera = bpy.data.objects.new("camera", data)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = view.rotation(), view.position()
    camera.matrix_world = Matrix(pose.tolist())
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera


def _image(bpy: Any, name: str, pixels: Float32) -> Any:
    """Return a Blender image of linear float data."""
    rows, columns = pixels.shape[:2]
    image = bpy.data.images.new(name, columns, rows, alpha=False, float_buffer=True, is_data=True)
    rgba = np.ones((rows, columns, 4), np.float32)
    rgba[..., :3] = pixels
    image.pixels.foreach_set(rgba.ravel())
    image.use_half_precision = True
    return image


def _lookup(bpy: Any, tree: Any, name: str, pixels: Float32) -> Any:
    """Add nodes that read a map at its own texture coordinates; return the colour output."""
    place = tree.nodes.new("ShaderNodeUVMap")
    place.uv_map = name
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = _image(bpy, name, pixels)
    texture.interpolation = "Linear"
    texture.extension = "EXTEND"
    tree.links.new(place.outputs["UV"], texture.inputs["Vector"])
    return texture.outputs["Color"]


def _glossy(bpy: Any, name: str, metal: Metal) -> tuple[Any, Any, Any]:
    """Return a new material with a glossy lobe on its surface: material, node tree, lobe."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    lobe = tree.nodes.new("ShaderNodeBsdfAnisotropic")
    lobe.distribution = "GGX"
    lobe.inputs["Color"].default_value = (*[metal.reflectance] * 3, 1)
    lobe.inputs["Roughness"].default_value = metal.roughness
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(lobe.outputs["BSDF"], output.inputs["Surface"])
    return material, tree, lobe


def _top_face(
    bpy: Any,
    metal: Metal,
    normals: PlateMap,
    reflectance: PlateMap | None,
    matte: PlateMap | None,
) -> Any:
    """Return the top face's material: an anisotropic lobe around mapped normals, and its cover."""
    material, tree, lobe = _glossy(bpy, "brushed", metal)
    lobe.inputs["Anisotropy"].default_value = metal.anisotropy
    along = tree.nodes.new("ShaderNodeCombineXYZ")
    along.inputs["X"].default_value = np.cos(normals.angle_rad)
    along.inputs["Y"].default_value = np.sin(normals.angle_rad)
    tree.links.new(along.outputs["Vector"], lobe.inputs["Tangent"])
    unit = tree.nodes.new("ShaderNodeVectorMath")
    unit.operation = "NORMALIZE"
    tree.links.new(_lookup(bpy, tree, "normals", normals.pixels), unit.inputs[0])
    tree.links.new(unit.outputs["Vector"], lobe.inputs["Normal"])
    if reflectance is not None:
        colour = _lookup(bpy, tree, "reflectance", reflectance.pixels)
        tree.links.new(colour, lobe.inputs["Color"])
    if matte is not None:
        channels = tree.nodes.new("ShaderNodeSeparateXYZ")
        tree.links.new(_lookup(bpy, tree, "matte", matte.pixels), channels.inputs["Vector"])
        paper = tree.nodes.new("ShaderNodeBsdfDiffuse")
        tree.links.new(channels.outputs["Y"], paper.inputs["Color"])
        tree.links.new(unit.outputs["Vector"], paper.inputs["Normal"])
        mix = tree.nodes.new("ShaderNodeMixShader")
        tree.links.new(channels.outputs["X"], mix.inputs[0])
        tree.links.new(lobe.outputs["BSDF"], mix.inputs[1])
        tree.links.new(paper.outputs["BSDF"], mix.inputs[2])
        output = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
        tree.links.new(mix.outputs["Shader"], output.inputs["Surface"])
    return material


def _plain_metal(bpy: Any, metal: Metal) -> Any:
    """Return the material of the cut edges and the back."""
    return _glossy(bpy, "cut", metal)[0]


def _emitter(bpy: Any, name: str, radiance: float) -> Any:
    """Return a material that emits and reflects nothing."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    emission = tree.nodes.new("ShaderNodeEmission")
    emission.inputs["Strength"].default_value = radiance
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
    return material
