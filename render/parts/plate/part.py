"""The plate, as a kind of part."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from impurities.registry import IMPURITIES
from render.cycles.tracer import Tracer
from render.lights.ring import VARIANTS
from render.part import Effort, Exposure, Frame, Part, Shot
from render.parts.plate.expose import expose, shots
from render.parts.plate.registry import FLAWS
from render.parts.plate.sample import PlateSample, sample_plate
from render.parts.plate.scene import PlateScene
from render.plan import Sample, Streams
from render.series import Side
from stainless.ranges import bounds

# CPU-seconds on one shared core of an AMD EPYC, as `make bench` printed them.
SURFACE_SECONDS_PER_MEGATEXEL = 0.25


class Plate(Part):
    """A flat metal plate. Its keys and numbers are from before there were other parts.

    They stand beside those of the scene and the sample instead of below the part's name.
    """

    name = "plate"
    scene = PlateScene
    flaws = FLAWS
    impurities = {name: kind.index for name, kind in IMPURITIES.items()}  # noqa: RUF012

    def sample(self, scene: PlateScene, side: Side | None, streams: Streams) -> PlateSample:
        """Draw one plate."""
        return sample_plate(scene, side, streams)

    def shots(self, scene: PlateScene) -> list[Shot]:
        """Return the pictures of each view."""
        return shots(scene)

    def expose(
        self, scene: PlateScene, sample: Sample, frame: Frame, tracer: Tracer
    ) -> Iterator[Exposure]:
        """Yield the exposures of one view."""
        return expose(scene, sample, frame, tracer)

    def to_json(self, drawn: PlateSample) -> dict[str, Any]:
        """Return the plate's numbers, to stand beside those of the sample."""
        return dataclasses.asdict(drawn)

    def switched_on(self, scene: PlateScene) -> set[str]:
        """Return the kinds that a scene has a key for."""
        placed = {flaw.kind for flaw in scene.placed}
        return scene.chosen_impurities().keys() | scene.chosen_defects().keys() | placed

    def effort(self, scene: PlateScene) -> Effort:
        """Return what a view costs: what differs in power alone is rendered once."""
        both = scene.makes_twins() and scene.twins == "render"
        turns = len({VARIANTS[name].turn_rad for name in scene.lights.variants})
        return Effort(
            renders=turns * (2 if both else 1) * (2 if scene.placed else 1),
            denoised=scene.rendering.denoise and not both,
            seconds=SURFACE_SECONDS_PER_MEGATEXEL * megatexels(scene),
        )


def megatexels(scene: PlateScene) -> float:
    """Return how many million texels of the slope map a view shows."""
    columns, rows = scene.camera.resolution_px
    width = bounds(scene.camera.field_of_view_mm)[1] * 1000 / scene.texture.texel_um
    return width * width * rows / columns / 1e6


PART = Plate()
