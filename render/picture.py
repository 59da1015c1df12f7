"""From one planned sample to its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from render.camera import View, footprint, picture_shape, pixel_to_plate
from render.cover import Cover, cover, covered_irradiance, twin_region
from render.cycles.radiance import Sampling, render_radiance
from render.cycles.stage import PlateMap
from render.lights import VARIANTS, turned
from render.plan import Sample
from render.scene import Scene
from render.sensor import develop, noise_field, through_lens
from render.surface.parallel_texture import Window, slope_map

Float32 = npt.NDArray[np.float32]

#: Surface beyond the picture's edge that the maps still hold (mm).
MARGIN_MM = 0.2


@dataclass(frozen=True)
class Picture:
    """One photograph and its labels.

    Attributes:
        view: index of the camera position.
        variant: name of the light variant.
        stained: whether it is the twin with impurities.
        pixels: (H, W) uint8 or uint16.
        classes: (H, W) uint8 class index.
        instances: (H, W) uint16 instance index.
    """

    view: int
    variant: str
    stained: bool
    pixels: npt.NDArray[np.unsignedinteger]
    classes: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint16]


def sampling_of(scene: Scene, seed: int, denoiser: bool, threads: int) -> Sampling:
    """Return how Cycles samples a picture of this scene.

    Two rendered twins are never denoised: what the denoiser makes of a pixel depends on its wide
    neighbourhood, and the twins would differ everywhere.
    """
    denoise = scene.rendering.denoise and denoiser and scene.twins == "ratio"
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
        For every view and light variant the clean picture, then its twin if there are impurities.
    """
    shape = picture_shape(scene.camera, scene.scale)
    for number, view in enumerate(sample.views):
        cycles = sampling_of(scene, sample.cycles_seeds[number], denoiser, threads)
        yield from _render_view(scene, sample, number, view, shape, cycles)


def _render_view(
    scene: Scene,
    sample: Sample,
    number: int,
    view: View,
    shape: tuple[int, int],
    cycles: Sampling,
) -> Iterator[Picture]:
    normals = normal_map(scene, sample, view, shape)
    homography = pixel_to_plate(view, shape)
    bare = Cover(np.ones(shape, np.float32), np.zeros(shape, np.uint8), np.zeros(shape, np.uint16))
    laid = cover(sample.impurities, homography, shape, sample.metal.reflectance)
    region = twin_region(laid.classes > 0, sample.sensor)
    rendered: dict[float, tuple[Float32, Float32]] = {}
    for name in scene.lights.variants:
        variant = VARIANTS[name]
        if variant.turn_rad not in rendered:
            light = turned(sample.light, variant.turn_rad)
            render = partial(
                render_radiance,
                scene.plate.size_mm,
                sample.metal,
                normals,
                light,
                view,
                shape,
                cycles,
            )
            clean = render()
            if scene.twins == "ratio" or not region.any():
                covered = clean * laid.ratio
            else:
                covered = render(reflectance_map(sample, normals))
            irradiance = through_lens(clean, sample.sensor)
            twin = covered_irradiance(covered, irradiance, region, sample.sensor)
            rendered[variant.turn_rad] = irradiance, twin
        noise = noise_field(sample.sensor, shape, number, list(VARIANTS).index(name))
        twins = [(False, bare), (True, laid)] if scene.chosen_impurities() else [(False, bare)]
        for (stained, labels), light_in in zip(twins, rendered[variant.turn_rad], strict=False):
            # Light adds up: at twice the power of every source each pixel gets twice the light.
            pixels = develop(light_in * np.float32(variant.power), sample.sensor, noise)
            yield Picture(number, name, stained, pixels, labels.classes, labels.instances)


def normal_map(scene: Scene, sample: Sample, view: View, shape: tuple[int, int]) -> PlateMap:
    """Return the surface normals of what a view shows of the plate, in plate axes."""
    texture = sample.texture
    angle, texel = texture.angle_rad, scene.texture.texel_um / 1000
    width, height, _ = scene.plate.size_mm
    cos, sin = abs(np.cos(angle)), abs(np.sin(angle))
    plate = np.array([width * cos + height * sin, width * sin + height * cos]) / 2
    low, high = footprint(view, shape, angle)
    # A view beside the plate still gets a strip of it.
    low, high = np.clip(low, -plate, plate) - MARGIN_MM, np.clip(high, -plate, plate) + MARGIN_MM
    columns, rows = np.ceil((high - low) / texel).astype(int)
    window = Window(float(low[0]), float(low[1]), texel, (int(rows), int(columns)))
    # One millimetre beyond the plate's half diagonal holds every window, whatever its angle.
    reach = float(np.hypot(width, height) / 2 + 1)
    slope_u, slope_v = slope_map(texture, window, reach)
    normals = np.empty((*window.shape, 3), np.float32)
    normals[..., 0] = np.sin(angle) * slope_v - np.cos(angle) * slope_u
    normals[..., 1] = -np.sin(angle) * slope_u - np.cos(angle) * slope_v
    normals[..., 2] = 1
    return PlateMap(
        normals,
        (window.u_mm, window.v_mm),
        (window.u_mm + window.shape[1] * texel, window.v_mm + window.shape[0] * texel),
        angle,
    )


def reflectance_map(sample: Sample, normals: PlateMap) -> PlateMap:
    """Return the reflectance with impurities on the texels of the normal map."""
    rows, columns = normals.pixels.shape[:2]
    (u0, v0), (u1, v1) = normals.low_mm, normals.high_mm
    step_u, step_v = (u1 - u0) / columns, (v1 - v0) / rows
    cos, sin = np.cos(normals.angle_rad), np.sin(normals.angle_rad)
    texel_to_plate = np.array(
        [
            [cos * step_u, -sin * step_v, cos * u0 - sin * v0],
            [sin * step_u, cos * step_v, sin * u0 + cos * v0],
            [0, 0, 1],
        ]
    )
    reflectance = sample.metal.reflectance
    laid = cover(sample.impurities, texel_to_plate, (rows, columns), reflectance)
    pixels = np.repeat((laid.ratio * np.float32(reflectance))[..., None], 3, axis=2)
    return PlateMap(pixels, normals.low_mm, normals.high_mm, normals.angle_rad)
