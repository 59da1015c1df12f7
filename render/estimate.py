"""How much work a dataset is, known before it is begun."""

from __future__ import annotations

from render.camera import picture_shape
from render.lights import VARIANTS
from render.scene import Scene
from stainless.ranges import bounds

# Measured with `make bench` on two shared cores of an AMD EPYC: CPU-seconds.
SAMPLES_PER_SECOND = 0.6e6
DENOISE_SECONDS_PER_MEGAPIXEL = 2.4
RENDER_OVERHEAD_SECONDS = 1.5
VIEW_SECONDS_PER_MEGATEXEL = 0.1
PICTURE_SECONDS_PER_MEGAPIXEL = 0.15


def cpu_seconds(scene: Scene, denoiser: bool = True) -> float:
    """Return a rough estimate of the CPU time that a dataset takes.

    Args:
        scene: what is to be rendered.
        denoiser: whether Blender has Open Image Denoise.
    """
    rows, columns = picture_shape(scene.camera, scene.scale)
    megapixels = rows * columns / 1e6
    denoise = scene.rendering.denoise and denoiser and scene.twins == "ratio"
    samples = scene.rendering.samples if denoise else scene.rendering.samples_undenoised
    turns = len({VARIANTS[name].turn_rad for name in scene.lights.variants})
    renders = turns * (2 if scene.twins == "render" and scene.chosen_impurities() else 1)
    sampling = megapixels * 1e6 * samples / SAMPLES_PER_SECOND
    sampling += DENOISE_SECONDS_PER_MEGAPIXEL * megapixels if denoise else 0
    pictures = len(scene.lights.variants) * (2 if scene.chosen_impurities() else 1)
    view = renders * (RENDER_OVERHEAD_SECONDS + sampling)
    view += pictures * PICTURE_SECONDS_PER_MEGAPIXEL * megapixels
    view += VIEW_SECONDS_PER_MEGATEXEL * surface_megatexels(scene)
    grid = scene.camera.views[0] * scene.camera.views[1]
    return scene.samples * grid * view


def surface_megatexels(scene: Scene) -> float:
    """Return how many million texels of surface a view holds."""
    width = bounds(scene.camera.field_of_view_mm)[1]
    columns, rows = scene.camera.resolution_px
    texel = scene.texture.texel_um / 1000
    return width / texel * width * rows / columns / texel / 1e6
