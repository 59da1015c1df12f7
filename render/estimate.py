"""How much CPU time a dataset takes, known before it is begun."""

from __future__ import annotations

from render.camera import picture_shape
from render.part import part
from render.plan import view_count
from render.scene import Scene

# CPU-seconds on one shared core of an AMD EPYC, as `make bench` printed them.
SECONDS_PER_MEGASAMPLE = 1.45
DENOISE_SECONDS_PER_MEGAPIXEL = 3.0
PICTURE_SECONDS_PER_MEGAPIXEL = 0.3
RENDER_SECONDS = 0.3


def cpu_seconds(scene: Scene) -> float:
    """Return a rough estimate of the CPU time of a dataset, for a Blender that denoises."""
    rows, columns = picture_shape(scene.camera, scene.scale)
    megapixels = rows * columns / 1e6
    kind = part(scene.part)
    effort = kind.effort(scene)
    rendering = scene.rendering
    samples = rendering.samples if effort.denoised else rendering.samples_undenoised
    once = RENDER_SECONDS + megapixels * samples * SECONDS_PER_MEGASAMPLE
    once += DENOISE_SECONDS_PER_MEGAPIXEL * megapixels if effort.denoised else 0.0
    view = effort.seconds + effort.renders * once
    view += len(kind.shots(scene)) * PICTURE_SECONDS_PER_MEGAPIXEL * megapixels
    return sum(view_count(scene, index) for index in range(scene.samples)) * view
