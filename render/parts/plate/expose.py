"""The light that a plate sends into the camera, clean and covered, under each light variant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from render.camera import View, pixel_to_plane
from render.cycles.tracer import Tracer
from render.lights.ring import VARIANTS, Variant, placed
from render.part import Exposure, Frame, Shot, sampling
from render.parts.plate.cover import Cover, cover, twin_region
from render.parts.plate.maps import normal_map, reflectance_map, with_diffuse
from render.parts.plate.sample import PlateSample
from render.parts.plate.scene import PlateScene
from render.parts.plate.stage import PlateMap, stage_of
from render.plan import Sample
from stainless.homography import project

Float32 = npt.NDArray[np.float32]

CLEAN, STAINED = "clean", "stained"

#: Normals, reflectance and diffuse material; see `stage.plate`.
Maps = tuple[PlateMap, PlateMap | None, PlateMap | None]


def shots(scene: PlateScene) -> list[Shot]:
    """Return the pictures of a view: in a series one a light, else a clean one and its twin."""
    if scene.series is not None:
        twins = [""]
    else:
        twins = [CLEAN, STAINED] if scene.makes_twins() else [CLEAN]
    places = {name: place for place, name in enumerate(VARIANTS)}
    return [
        Shot(name, VARIANTS[name].suffix, places[name], twin)
        for name in scene.lights.variants
        for twin in twins
    ]


class _Lit:
    """Radiance of one view; what differs in power alone is rendered once."""

    def __init__(self, scene: PlateScene, plate: PlateSample, frame: Frame, tracer: Tracer) -> None:
        # Two rendered twins are never denoised: what the denoiser makes of a pixel depends on its
        # wide neighbourhood, and the twins would differ everywhere.
        apart = scene.makes_twins() and scene.twins == "render"
        self._sampling = sampling(scene, frame, tracer, denoise=not apart)
        self._scene, self._plate, self._frame, self._tracer = scene, plate, frame, tracer
        self._rendered: dict[tuple[str, float], Float32] = {}

    def __call__(self, name: str, variant: Variant, maps: Callable[[], Maps]) -> Float32:
        """Return the radiance, (H, W, 1), of the plate with some maps.

        Args:
            name: of the maps, which are the same whenever it is given.
            variant: the light.
            maps: makes them, where they are not rendered yet.
        """
        key = name, variant.turn_rad
        if key not in self._rendered:
            view = self._frame.view
            light = placed(self._plate.light, view.x_mm, view.y_mm, variant.turn_rad)
            stage = stage_of(self._scene.plate.size_mm, self._plate.metal, light, *maps())
            self._rendered[key] = self._tracer.render(
                stage, view, self._frame.shape, self._sampling
            )
        # Light adds up: at twice the power of every source each pixel gets twice the light.
        return self._rendered[key] * np.float32(variant.power)


def expose(scene: PlateScene, sample: Sample, frame: Frame, tracer: Tracer) -> Iterator[Exposure]:
    """Yield the exposures of one view, in the order of `shots`."""
    plate: PlateSample = sample.part
    normals = normal_map(scene, plate, frame.view, frame.shape)
    covered = cover(
        plate.impurities,
        pixel_to_plane(frame.view, frame.shape),
        frame.shape,
        plate.metal.reflectance,
        plate.defects,
    )
    lit = _Lit(scene, plate, frame, tracer)
    if scene.series is not None:
        yield from _whole(scene, plate, frame, normals, covered, lit)
        return
    bare = Cover.none(frame.shape).labels()
    region = twin_region(covered.classes > 0, sample.sensor)
    for shot in shots(scene):
        variant = VARIANTS[shot.light]
        clean = lit(CLEAN, variant, lambda: (normals, None, None))
        if shot.twin == CLEAN:
            yield Exposure(shot, clean, bare)
        elif scene.twins == "ratio" or not region.any():
            yield Exposure(shot, clean * covered.ratio[..., None], covered.labels(), region)
        else:
            stained = lit(STAINED, variant, partial(_stained_maps, plate, normals))
            yield Exposure(shot, stained, covered.labels(), region)


def _stained_maps(plate: PlateSample, normals: PlateMap) -> Maps:
    """Return the maps of a plate whose stains Cycles renders."""
    raised, diffuse = with_diffuse(plate, normals)
    return raised, reflectance_map(plate, normals), diffuse


def _whole(
    scene: PlateScene,
    plate: PlateSample,
    frame: Frame,
    normals: PlateMap,
    covered: Cover,
    lit: _Lit,
) -> Iterator[Exposure]:
    """Yield a series' exposures, each with all there is, cut out along the plate's border."""
    raised, diffuse = with_diffuse(plate, normals)
    kept = plate_region(scene, frame.view, frame.shape)
    for shot in shots(scene):
        radiance = lit("", VARIANTS[shot.light], lambda: (raised, None, diffuse))
        yield Exposure(shot, radiance * covered.ratio[..., None], covered.labels(kept), kept=kept)


def plate_region(scene: PlateScene, view: View, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return which pixels of a series' picture show the plate within its border, (H, W)."""
    border = scene.series.border_mm if scene.series is not None else 0.0
    width, height, _ = scene.plate.size_mm
    x, y = project(
        pixel_to_plane(view, shape),
        np.arange(shape[1])[None, :] + 0.5,
        np.arange(shape[0])[:, None] + 0.5,
    )
    return np.asarray((np.abs(x) <= width / 2 - border) & (np.abs(y) <= height / 2 - border))
