"""Pictures of a stage, by Cycles: its light, and which surface each pixel shows.

Light is traced in as many bounces and channels as are asked for. What is where comes from a pass of
one unfiltered path through each pixel's centre, so that a label has no soft edge.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from render.camera import View
from render.cycles.blender import describe, load
from render.cycles.exr import read_render
from render.cycles.materials import Emission, Nodes, Shader
from render.cycles.stage import Mesh, Stage

Float32 = npt.NDArray[np.float32]

SENSOR_MM = 36.0
#: Width of the pixel filter, in pixels, of a pass that looks through the pixels' centres: the least
#: that Blender takes.
_POINT_PX = 0.01


@dataclass(frozen=True)
class Sampling:
    """How Cycles samples a picture.

    Attributes:
        samples: paths per pixel.
        denoise: whether Open Image Denoise smooths the result.
        seed: of Cycles' sampling pattern, 0 to 2^31 - 1.
        threads: render threads; the picture does not depend on it.
        bounces: how often light may go on from one surface to another; 0 is light straight from
            its source alone.
        channels: 1 where all light and every surface is grey, 3 for red, green and blue.
    """

    samples: int
    denoise: bool
    seed: int
    threads: int
    bounces: int = 1
    channels: int = 1


@dataclass(frozen=True)
class Surfaces:
    """What lies at the centre of each pixel.

    Attributes:
        mesh: (H, W) int32, 1-based index into the stage's meshes, 0 where there is none.
        position_mm: (H, W, 3) float32, the point that is seen, in the world; 0 where there is none.
    """

    mesh: npt.NDArray[np.int32]
    position_mm: Float32


class Tracer:
    """Cycles, in the Blender at hand.

    Attributes:
        threads: how many it may use.
        denoiser: whether it has Open Image Denoise.
    """

    def __init__(self, threads: int) -> None:
        """Find Blender.

        Raises:
            InputError: there is none that can be used.
        """
        self.threads = threads
        self.denoiser = describe().denoiser

    def render(
        self, stage: Stage, view: View, shape: tuple[int, int], sampling: Sampling
    ) -> Float32:
        """Render one picture.

        Args:
            stage: what stands in front of the camera.
            view: the camera.
            shape: rows and columns of the picture.
            sampling: how Cycles samples it.

        Returns:
            Linear radiance (H, W, C) float32, row 0 at the top.
        """
        return render(stage, view, shape, sampling)

    def surfaces(self, stage: Stage, view: View, shape: tuple[int, int]) -> Surfaces:
        """Return which mesh, and which point of it, each pixel's centre shows.

        Args:
            stage: as for `render`; its materials do not count.
            view: the camera.
            shape: rows and columns of the picture.
        """
        low = np.min([mesh.vertices.min(axis=0) for mesh in stage.meshes], axis=0)
        high = np.max([mesh.vertices.max(axis=0) for mesh in stage.meshes], axis=0)
        edge = np.where(high > low, high - low, 1.0)
        indices = [Emission(radiance=float(i)) for i, _ in enumerate(stage.meshes, start=1)]
        mesh = np.rint(self._points(stage, view, shape, indices)[..., 0]).astype(np.int32)
        place = _Place(tuple(low), tuple(edge))
        share = self._points(stage, view, shape, [place] * len(stage.meshes))
        position = (low + edge * share).astype(np.float32)
        position[mesh == 0] = 0
        return Surfaces(mesh, position)

    def _points(
        self, stage: Stage, view: View, shape: tuple[int, int], materials: list[Any]
    ) -> Float32:
        """Return what the pixels' centres show where each mesh emits by a material of its own."""
        meshes = tuple(
            dataclasses.replace(mesh, materials=(material,), material_of=())
            for mesh, material in zip(stage.meshes, materials, strict=True)
        )
        sampling = Sampling(1, False, 0, self.threads, channels=3)
        return render(Stage(meshes), view, shape, sampling, _POINT_PX)


@dataclass(frozen=True)
class _Place:
    """Emits its own position: 0 to 1 along each axis of a box, since light is never negative."""

    low: tuple[float, ...]
    edge: tuple[float, ...]

    def build(self, nodes: Nodes) -> Any:
        """Add (position - low) / edge as the colour of an emitter."""
        value = nodes.add("ShaderNodeNewGeometry").outputs["Position"]
        for operation, operand in (("SUBTRACT", self.low), ("DIVIDE", self.edge)):
            step = nodes.add("ShaderNodeVectorMath")
            step.operation = operation
            nodes.tree.links.new(value, step.inputs[0])
            step.inputs[1].default_value = operand
            value = step.outputs["Vector"]
        emission = nodes.add("ShaderNodeEmission")
        nodes.tree.links.new(value, emission.inputs["Color"])
        return emission.outputs["Emission"]


def render(
    stage: Stage,
    view: View,
    shape: tuple[int, int],
    sampling: Sampling,
    filter_px: float = 1.0,
) -> Float32:
    """Render one picture; see `Tracer.render`.

    Args:
        stage, view, shape, sampling: as there.
        filter_px: edge of the square that a pixel averages over. At 1 a pixel is the plain mean
            over its own square, as an analytic mean is.
    """
    bpy = load()
    set_up(bpy, stage, view)
    _configure(bpy, shape, sampling, filter_px)
    picture = read_render(bpy, shape)
    return np.ascontiguousarray(picture[..., : sampling.channels])


def set_up(bpy: Any, stage: Stage, view: View) -> None:
    """Make Blender's scene anew: a stage and a camera, and nothing else."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for mesh in stage.meshes:
        _add_mesh(bpy, mesh)
    _add_ambient(bpy, stage)
    _add_camera(bpy, view)


def _add_mesh(bpy: Any, mesh: Mesh) -> None:
    """Add a surface with its materials and texture coordinates."""
    data = bpy.data.meshes.new(mesh.name)
    data.from_pydata([tuple(map(float, point)) for point in mesh.vertices], [], list(mesh.faces))
    for name, coordinates in mesh.maps.items():
        layer = data.uv_layers.new(name=name)
        layer.data.foreach_set("uv", np.asarray(coordinates, np.float32).ravel())
    for number, material in enumerate(mesh.materials):
        data.materials.append(_material(bpy, f"{mesh.name}_{number}", material))
    if mesh.material_of:
        data.polygons.foreach_set("material_index", mesh.material_of)
    data.polygons.foreach_set("use_smooth", [mesh.smooth] * len(mesh.faces))
    placed = bpy.data.objects.new(mesh.name, data)
    placed.visible_camera = mesh.seen_by_camera
    bpy.context.scene.collection.objects.link(placed)


def _material(bpy: Any, name: str, shader: Shader) -> Any:
    """Return a Blender material of one shader."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    surface = shader.build(Nodes(bpy, tree))
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(surface, output.inputs["Surface"])
    return material


def _add_ambient(bpy: Any, stage: Stage) -> None:
    """Add the light that comes from everywhere else."""
    world = bpy.data.worlds.new("ambient")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    if isinstance(stage.ambient, tuple):
        background.inputs["Color"].default_value = (*stage.ambient, 1)
        background.inputs["Strength"].default_value = 1.0
    else:
        background.inputs["Color"].default_value = (1, 1, 1, 1)
        background.inputs["Strength"].default_value = stage.ambient
    bpy.context.scene.world = world


def _add_camera(bpy: Any, view: View) -> None:
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


def _configure(bpy: Any, shape: tuple[int, int], sampling: Sampling, filter_px: float) -> None:
    """Set everything that Cycles' result depends on."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_y, scene.render.resolution_x = shape
    scene.render.resolution_percentage = 100
    scene.render.dither_intensity = 0.0
    scene.render.threads_mode = "FIXED"
    scene.render.threads = sampling.threads
    scene.view_settings.view_transform = "Raw"

    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.seed = sampling.seed
    cycles.samples = sampling.samples
    cycles.use_adaptive_sampling = False
    cycles.sampling_pattern = "SOBOL" if bpy.app.version < (3, 5) else "TABULATED_SOBOL"
    if hasattr(cycles, "use_light_tree"):
        # The tree costs half as much again and mends no noise of a few lights.
        cycles.use_light_tree = False
    cycles.max_bounces = sampling.bounces
    cycles.diffuse_bounces = cycles.glossy_bounces = sampling.bounces
    cycles.transmission_bounces = sampling.bounces
    cycles.caustics_reflective = True
    cycles.blur_glossy = 0.0
    cycles.sample_clamp_direct = cycles.sample_clamp_indirect = 0.0
    cycles.pixel_filter_type = "BOX"
    cycles.filter_width = filter_px
    cycles.use_denoising = sampling.denoise
    if sampling.denoise:
        cycles.denoiser = "OPENIMAGEDENOISE"
        # Albedo and normal passes gain nothing for grooves below a pixel, cost a third of the time
        # and half a gigabyte.
        cycles.denoising_input_passes = "RGB"
