"""How much CPU time a dataset takes, known before it is begun."""

from __future__ import annotations

from render.camera import picture_shape
from render.lights.ring import VARIANTS
from render.scene import Scene
from stainless.ranges import bounds

# CPU-seconds on one shared core of an AMD EPYC, as `make bench` printed them.
SECONDS_PER_MEGASAMPLE = 1.45
DENOISE_SECONDS_PER_MEGAPIXEL = 3.0
SURFACE_SECONDS_PER_MEGATEXEL = 0.25
PICTURE_SECONDS_PER_MEGAPIXEL = 0.3
RENDER_SECONDS = 0.3


def cpu_seconds(scene: Scene) -> float:
    """Return a rough estimate of the CPU time of a dataset, for a Blender that denoises."""
    rows, columns = picture_shape(scene.camera, scene.scale)
    megapixels = rows * columns / 1e6
    both = scene.makes_twins() and scene.twins == "render"
    denoise = scene.rendering.denoise and not both
    samples = scene.rendering.samples if denoise else scene.rendering.samples_undenoised
    once = RENDER_SECONDS + megapixels * samples * SECONDS_PER_MEGASAMPLE
    once += DENOISE_SECONDS_PER_MEGAPIXEL * megapixels if denoise else 0.0
    turns = len({VARIANTS[name].turn_rad for name in scene.lights.variants})
    pictures = len(scene.lights.variants) * (2 if scene.makes_twins() else 1)
    view = SURFACE_SECONDS_PER_MEGATEXEL * megatexels(scene)
    view += turns * (2 if both else 1) * once
    view += pictures * PICTURE_SECONDS_PER_MEGAPIXEL * megapixels
    return scene.samples * scene.camera.views[0] * scene.camera.views[1] * view


def megatexels(scene: Scene) -> float:
    """Return how many million texels of the slope map a view shows."""
    columns, rows = scene.camera.resolution_px
    width = bounds(scene.camera.field_of_view_mm)[1] * 1000 / scene.texture.texel_um
    return width * width * rows / columns / 1e6
