"""From one planned sample to its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from render.camera import View, picture_shape, pixel_to_plate
from render.cover import Cover, cover, covered_irradiance, twin_region
from render.cycles.tracer import Sampling
from render.lights.ring import VARIANTS, placed
from render.maps import normal_map, reflectance_map, with_diffuse
from render.parts.plate.stage import render_radiance
from render.plan import Sample
from render.scene import Scene
from render.sensor import develop, noise_field, through_lens
from stainless.homography import project

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """One photograph and its labels.

    Attributes:
        view: index of the camera position.
        variant: name of the light variant.
        stained: whether it shows impurities, or could.
        pixels: (H, W) uint8 or uint16.
        classes: (H, W) uint8 class index.
        instances: (H, W) uint16 instance index.
        defective: (H, W) bool, the ground truth.
    """

    view: int
    variant: str
    stained: bool
    pixels: npt.NDArray[np.unsignedinteger]
    classes: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint16]
    defective: npt.NDArray[np.bool_]

    @property
    def kind(self) -> str:
        """Return the folder that it belongs to: a picture is defective if it shows a defect."""
        return "defective" if self.defective.any() else "good"


def sampling_of(scene: Scene, seed: int, denoiser: bool, threads: int) -> Sampling:
    """Return how Cycles samples a picture of this scene.

    Two rendered twins are never denoised: what the denoiser makes of a pixel depends on its wide
    neighbourhood, and the twins would differ everywhere.
    """
    apart = scene.makes_twins() and scene.twins == "render"
    denoise = scene.rendering.denoise and denoiser and not apart
    samples = scene.rendering.samples if denoise else scene.rendering.samples_undenoised
    return Sampling(samples, denoise, seed, threads)


def render_sample(scene: Scene, sample: Sample, denoiser: bool, threads: int) -> Iterator[Picture]:
    """Render all pictures of one sample.

    Args:
        scene: the dataset's scene.
        sample: what to render.
        denoiser: whether Blender has Open Image Denoise.
        threads: render threads; no pixel depends on it.

    Yields:
        For every view and light variant the clean picture, then its twin if there are impurities;
        in a series one picture with all there is.
    """
    for number in range(len(sample.views)):
        yield from render_view(scene, sample, number, denoiser, threads)


def render_view(
    scene: Scene, sample: Sample, number: int, denoiser: bool, threads: int
) -> Iterator[Picture]:
    """Render the pictures of one of a sample's views; see `render_sample`."""
    shape = picture_shape(scene.camera, scene.scale)
    sampling = sampling_of(scene, sample.cycles_seeds[number], denoiser, threads)
    render = _twins if scene.series is None else _single
    yield from render(scene, sample, number, shape, sampling)


def _twins(
    scene: Scene, sample: Sample, number: int, shape: tuple[int, int], sampling: Sampling
) -> Iterator[Picture]:
    view = sample.views[number]
    normals = normal_map(scene, sample, view, shape)
    bare = Cover.none(shape)
    laid = cover(sample.impurities, pixel_to_plate(view, shape), shape, sample.metal.reflectance)
    region = twin_region(laid.classes > 0, sample.sensor)
    rendered: dict[float, tuple[Float32, Float32]] = {}
    for name in scene.lights.variants:
        variant = VARIANTS[name]
        if variant.turn_rad not in rendered:
            light = placed(sample.light, view.x_mm, view.y_mm, variant.turn_rad)
            trace = partial(
                render_radiance,
                scene.plate.size_mm,
                sample.metal,
                light=light,
                view=view,
                shape=shape,
                sampling=sampling,
            )
            clean = trace(normals)
            if scene.twins == "ratio" or not region.any():
                covered = clean * laid.ratio
            else:
                raised, diffuse = with_diffuse(sample, normals)
                covered = trace(
                    raised, reflectance=reflectance_map(sample, normals), diffuse=diffuse
                )
            irradiance = through_lens(clean, sample.sensor)
            twin = covered_irradiance(covered, irradiance, region, sample.sensor)
            rendered[variant.turn_rad] = irradiance, twin
        noise = noise_field(sample.sensor, shape, number, list(VARIANTS).index(name))
        twins = [(False, bare), (True, laid)] if scene.makes_twins() else [(False, bare)]
        for (stained, labels), light_in in zip(twins, rendered[variant.turn_rad], strict=False):
            # Light adds up: at twice the power of every source each pixel gets twice the light.
            pixels = develop(light_in * np.float32(variant.power), sample.sensor, noise)
            yield Picture(
                number,
                name,
                stained,
                pixels,
                labels.classes,
                labels.instances,
                labels.defective,
            )


def _single(
    scene: Scene, sample: Sample, number: int, shape: tuple[int, int], sampling: Sampling
) -> Iterator[Picture]:
    view = sample.views[number]
    normals, diffuse = with_diffuse(sample, normal_map(scene, sample, view, shape))
    laid = cover(
        sample.impurities,
        pixel_to_plate(view, shape),
        shape,
        sample.metal.reflectance,
        sample.defects,
    )
    seen = plate_region(scene, view, shape)
    rendered: dict[float, Float32] = {}
    for name in scene.lights.variants:
        variant = VARIANTS[name]
        if variant.turn_rad not in rendered:
            light = placed(sample.light, view.x_mm, view.y_mm, variant.turn_rad)
            radiance = render_radiance(
                scene.plate.size_mm,
                sample.metal,
                normals,
                light,
                view,
                shape,
                sampling,
                diffuse=diffuse,
            )
            rendered[variant.turn_rad] = through_lens(radiance * laid.ratio, sample.sensor)
        light_in = rendered[variant.turn_rad] * np.float32(variant.power)
        noise = noise_field(sample.sensor, shape, number, list(VARIANTS).index(name))
        yield Picture(
            number,
            name,
            bool(sample.impurities),
            develop(light_in, sample.sensor, noise) * seen,
            laid.classes * seen,
            laid.instances * seen,
            laid.defective & seen,
        )


def plate_region(scene: Scene, view: View, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return which pixels of a series' picture show the plate within its border, (H, W)."""
    border = scene.series.border_mm if scene.series is not None else 0.0
    width, height, _ = scene.plate.size_mm
    x, y = project(
        pixel_to_plate(view, shape),
        np.arange(shape[1])[None, :] + 0.5,
        np.arange(shape[0])[:, None] + 0.5,
    )
    return np.asarray((np.abs(x) <= width / 2 - border) & (np.abs(y) <= height / 2 - border))
