"""The light that a plate sends into the camera, clean and covered, under each light variant."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from render.camera import View, pixel_to_plane
from render.cycles.tracer import Tracer
from render.lights.ring import VARIANTS, Variant, placed
from render.part import Exposure, Frame, Labels, Shot, sampling
from render.parts.plate.cover import Cover, cover, twin_region
from render.parts.plate.defects import Members
from render.parts.plate.maps import normal_map, normal_maps, reflectance_map, with_diffuse
from render.parts.plate.placed import with_centres
from render.parts.plate.sample import PlateSample
from render.parts.plate.scene import PlateScene
from render.parts.plate.stage import PlateMap, stage_of
from render.plan import Sample
from stainless.homography import project

Float32 = npt.NDArray[np.float32]

CLEAN, STAINED = "clean", "stained"

#: What placed flaws add to the names of the twins that show them.
FLAWED = "_flawed"

#: Normals, reflectance and diffuse material; see `stage.plate`.
Maps = tuple[PlateMap, PlateMap | None, PlateMap | None]


def shots(scene: PlateScene) -> list[Shot]:
    """Return the pictures of a view: in a series one a light, else a clean one and its twin.

    Where flaws are placed, both once more, with these.
    """
    if scene.series is not None:
        twins = [""]
    else:
        twins = [CLEAN, STAINED] if scene.makes_twins() else [CLEAN]
        twins += [twin + FLAWED for twin in twins] if scene.placed else []
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
    if scene.series is not None:
        covered = _cover(plate, frame, plate.impurities)
        lit = _Lit(scene, plate, frame, tracer)
        yield from _whole(scene, plate, frame, covered, lit)
        return
    plates = {"": bare(plate), **({FLAWED: plate} if scene.placed else {})}
    defects = [version.defects for version in plates.values()]
    normals = normal_maps(scene, plate, frame.view, frame.shape, defects)
    versions = {
        name: _Twins(scene, dataclasses.replace(sample, part=version), frame, tracer, known)
        for (name, version), known in zip(plates.items(), normals, strict=True)
    }
    for shot in shots(scene):
        yield versions[FLAWED if shot.twin.endswith(FLAWED) else ""](shot)


def bare(plate: PlateSample) -> PlateSample:
    """Return a plate without its defects."""
    return dataclasses.replace(plate, defects={})


def _cover(plate: PlateSample, frame: Frame, impurities: Members) -> Cover:
    """Return what a view shows beside the bare metal: some impurities, and the plate's defects."""
    homography = pixel_to_plane(frame.view, frame.shape)
    return cover(impurities, homography, frame.shape, plate.metal.reflectance, plate.defects)


class _Twins:
    """The pictures of one view, clean and with impurities."""

    def __init__(
        self,
        scene: PlateScene,
        sample: Sample,
        frame: Frame,
        tracer: Tracer,
        normals: PlateMap,
    ) -> None:
        self._scene, self._normals = scene, normals
        self._plate: PlateSample = sample.part
        self._lit = _Lit(scene, self._plate, frame, tracer)
        clean = _cover(self._plate, frame, {}).labels()
        self._clean: Labels = with_centres(clean, self._plate.defects, frame.view)
        self._covered = _cover(self._plate, frame, self._plate.impurities)
        stains = self._covered
        if self._plate.defects:
            stains = _cover(bare(self._plate), frame, self._plate.impurities)
        self._region = twin_region(stains.classes > 0, sample.sensor)

    def __call__(self, shot: Shot) -> Exposure:
        """Return the exposure of a shot."""
        variant, covered = VARIANTS[shot.light], self._covered
        clean = self._lit(CLEAN, variant, lambda: (self._normals, None, None))
        if shot.twin.startswith(CLEAN):
            return Exposure(shot, clean, self._clean)
        if self._scene.twins == "ratio" or not self._region.any():
            light = clean * covered.ratio[..., None]
        else:
            light = self._lit(STAINED, variant, partial(_stained_maps, self._plate, self._normals))
        return Exposure(shot, light, covered.labels(), self._region)


def _stained_maps(plate: PlateSample, normals: PlateMap) -> Maps:
    """Return the maps of a plate whose stains Cycles renders."""
    raised, diffuse = with_diffuse(plate, normals)
    return raised, reflectance_map(plate, normals), diffuse


def _whole(
    scene: PlateScene,
    plate: PlateSample,
    frame: Frame,
    covered: Cover,
    lit: _Lit,
) -> Iterator[Exposure]:
    """Yield a series' exposures, each with all there is, cut out along the plate's border."""
    normals = normal_map(scene, plate, frame.view, frame.shape)
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
