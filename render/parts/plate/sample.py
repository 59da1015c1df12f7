"""One plate: its finish, metal, what lies on it, what is wrong with it, and its light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from impurities.registry import IMPURITIES
from render.lights.ring import HexagonLight, sample_light
from render.parts.plate.placed import placed_flaws
from render.parts.plate.registry import FLAWS
from render.parts.plate.scene import PlateScene
from render.parts.plate.surface.metal import Metal, sample_metal
from render.parts.plate.surface.parallel_texture import ParallelTexture, sample_texture
from render.plan import Streams
from render.series import Side
from stainless.streams import Stream


@dataclass(frozen=True)
class PlateSample:
    """One realisation of a plate.

    Attributes:
        texture: the finish.
        metal: the optical surface.
        impurities: what lies on it, by kind, in plate coordinates.
        defects: what is wrong with it, by kind, in plate coordinates.
        light: the ring light, in the `hexagon` variant.
    """

    texture: ParallelTexture
    metal: Metal
    impurities: dict[str, list[Any]]
    defects: dict[str, list[Any]]
    light: HexagonLight


def sample_plate(scene: PlateScene, side: Side | None, streams: Streams) -> PlateSample:
    """Draw one plate."""
    width, height, _ = scene.plate.size_mm
    area = (-width / 2, -height / 2, width / 2, height / 2)

    def scattered(
        registry: Mapping[str, Any], chosen: dict[str, Any], stream: Stream
    ) -> dict[str, list[Any]]:
        return {
            name: kind.sample(chosen[name], area, streams.generator(stream, kind.stream))
            for name, kind in registry.items()
            if name in chosen
        }

    impurities = scene.chosen_impurities() if side is None or side.impurities else {}
    defects = scene.chosen_defects() if side is not None and side.defects else {}
    return PlateSample(
        texture=sample_texture(scene.texture, (width, height), streams.draw(Stream.TEXTURE)),
        metal=sample_metal(scene.metal, streams.draw(Stream.METAL)),
        impurities=scattered(IMPURITIES, impurities, Stream.IMPURITY),
        defects=scattered(FLAWS, defects, Stream.DEFECT) | placed_flaws(scene, area, streams),
        light=sample_light(scene.lights, streams.draw(Stream.LIGHT)),
    )
