"""Render a staged scene with Cycles and return its linear radiance."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from render.camera import View
from render.cycles import stage
from render.cycles.blender import load
from render.lights import HexagonLight
from render.surface.metal import Metal
from stainless.errors import InputError

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sampling:
    """How Cycles samples a picture.

    Attributes:
        samples: paths per pixel.
        denoise: whether Open Image Denoise smooths the result.
        seed: of Cycles' sampling pattern, 0 to 2^31 - 1.
        threads: render threads; the picture does not depend on it.
    """

    samples: int
    denoise: bool
    seed: int
    threads: int


def render_radiance(
    plate_size_mm: tuple[float, float, float],
    metal: Metal,
    normals: stage.PlateMap,
    light: HexagonLight,
    view: View,
    shape: tuple[int, int],
    sampling: Sampling,
    reflectance: stage.PlateMap | None = None,
    matte: stage.PlateMap | None = None,
) -> Float32:
    """Render one picture.

    Args:
        plate_size_mm: extent of the plate along x, y and z.
        metal: its optical surface.
        normals: surface normals of its top face.
        light: the ring light.
        view: the camera.
        shape: rows and columns of the picture.
        sampling: how Cycles samples it.
        reflectance: reflectance per point of the top face, instead of the metal's own.
        matte: share of diffuse material and its albedo per point (first and second channel).

    Returns:
        Linear radiance, float32 of the given shape, row 0 at the top.
    """
    bpy = load()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    stage.add_plate(bpy, plate_size_mm, metal, normals, reflectance, matte)
    stage.add_light(bpy, light)
    stage.add_camera(bpy, view)
    _configure(bpy.context.scene, shape, sampling)
    return read_render(bpy, shape)


def _configure(scene: Any, shape: tuple[int, int], sampling: Sampling) -> None:
    """Set everything that Cycles' result depends on."""
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
    cycles.sampling_pattern = "SOBOL" if _before(3, 5) else "TABULATED_SOBOL"
    if hasattr(cycles, "use_light_tree"):
        # One ring of six bars: the tree costs half as much again and mends no noise.
        cycles.use_light_tree = False
    # The ring is reached by the first bounce; a flat plate sends nothing on to itself.
    cycles.max_bounces = 1
    cycles.caustics_reflective = True
    cycles.blur_glossy = 0.0
    cycles.sample_clamp_direct = cycles.sample_clamp_indirect = 0.0
    # A box filter, so that a pixel is the plain mean over its square, as the stain ratio is.
    cycles.pixel_filter_type = "BOX"
    cycles.filter_width = 1.0
    cycles.use_denoising = sampling.denoise
    if sampling.denoise:
        cycles.denoiser = "OPENIMAGEDENOISE"
        # Albedo and normal passes gain nothing here (the grooves are below a pixel), cost a third
        # of the time and half a gigabyte.
        cycles.denoising_input_passes = "RGB"


def _before(major: int, minor: int) -> bool:
    return bool(load().app.version < (major, minor))


def read_render(bpy: Any, shape: tuple[int, int]) -> Float32:
    """Render to a temporary float EXR and read it back as one channel."""
    scene = bpy.context.scene
    settings = scene.render.image_settings
    settings.file_format = "OPEN_EXR"
    settings.color_mode = "RGB"
    settings.color_depth = "32"
    settings.exr_codec = "NONE"
    rows, columns = shape
    with tempfile.TemporaryDirectory(prefix="stainless-") as folder:
        target = Path(folder) / "radiance.exr"
        scene.render.filepath = str(target)
        trace(bpy)
        if not target.exists() and shutil.disk_usage(folder).free > 10 * 12 * rows * columns:
            # A Blender of one's own takes the interrupt for itself and writes nothing.
            raise KeyboardInterrupt
        # Blender says nothing when the disk is full; what it wrote may even load.
        size = target.stat().st_size if target.exists() else 0
        if size < 3 * 4 * rows * columns:
            raise InputError(
                f"{tempfile.gettempdir()}: no room for a temporary picture of "
                f"{12e-6 * rows * columns:.2g} MB; TMPDIR can name another folder"
            )
        image = bpy.data.images.load(str(target))
        image.colorspace_settings.name = "Non-Color"
        rgba = np.empty(rows * columns * 4, np.float32)
        image.pixels.foreach_get(rgba)
    # Blender's rows run from the bottom up; all light is white, so one channel says it all.
    return np.ascontiguousarray(rgba.reshape(rows, columns, 4)[::-1, :, 0])


def trace(bpy: Any) -> None:
    """Let Cycles render the scene and write its picture.

    Raises:
        KeyboardInterrupt: there was an interrupt meanwhile. Raised inside Cycles it would be
            printed and dropped; it is noted here and raised when the picture is done.
    """
    interrupts: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    # None is a handler that is not Python's: Blender's own, which it looks after itself.
    aware = before is not None and threading.current_thread() is threading.main_thread()
    if aware:
        signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        with quiet():
            result = bpy.ops.render.render(write_still=True)
    finally:
        if aware:
            signal.signal(signal.SIGINT, before)
    if interrupts or "CANCELLED" in result:
        raise KeyboardInterrupt


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence what Blender's C++ side prints to standard output."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
