"""The plan: every number of a dataset, before anything is rendered.

Pure Python and numpy; needs neither bpy nor Blender. A plan is a list of samples that depend on
nothing but scene, seed and their own index, so that more samples change none of those before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from impurities.registry import IMPURITIES
from render.camera import View, picture_shape, sample_views
from render.lights.ring import VARIANTS, HexagonLight, Variant, sample_light
from render.scene import Scene
from render.sensor import Sensor, sample_sensor
from render.series import Side, side_of
from render.surface.metal import Metal, sample_metal
from render.surface.parallel_texture import ParallelTexture, sample_texture
from render.surface.registry import FLAWS
from stainless.streams import DATASET, Draw, Stream, seed_sequence


@dataclass(frozen=True)
class Sample:
    """One realisation of a part, and how it is photographed.

    Attributes:
        index: its number within the dataset.
        split: `train`, `validation` or `test`.
        side: which side of which part it is, in a series.
        texture: the finish.
        metal: the optical surface.
        impurities: what lies on it, by kind, in plate coordinates.
        defects: what is wrong with it, by kind, in plate coordinates.
        light: the ring light, in the `hexagon` variant.
        views: the camera positions.
        sensor: the exposure.
        cycles_seeds: seed of Cycles' sampling pattern, one a view.
    """

    index: int
    split: str
    side: Side | None
    texture: ParallelTexture
    metal: Metal
    impurities: dict[str, list[Any]]
    defects: dict[str, list[Any]]
    light: HexagonLight
    views: tuple[View, ...]
    sensor: Sensor
    cycles_seeds: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the sample as JSON-serialisable numbers."""
        return dataclasses.asdict(self)


def plan_sample(scene: Scene, index: int) -> Sample:
    """Draw one sample; the same scene and index give the same sample."""

    def draw(stream: Stream) -> Draw:
        return Draw(seed_sequence(scene.seed, index, stream))

    width, height, _ = scene.plate.size_mm
    area = (-width / 2, -height / 2, width / 2, height / 2)

    def scattered(
        registry: Mapping[str, Any], chosen: dict[str, Any], stream: Stream
    ) -> dict[str, list[Any]]:
        return {
            name: kind.sample(
                chosen[name],
                area,
                np.random.default_rng(seed_sequence(scene.seed, index, stream, kind.stream)),
            )
            for name, kind in registry.items()
            if name in chosen
        }

    side = None if scene.series is None else side_of(scene.series, index)
    late = scene.test_every and (index + 1) % scene.test_every == 0
    impure = side is None or side.impurities
    views = sample_views(scene.camera, draw(Stream.CAMERA))
    cycles = draw(Stream.CYCLES)
    return Sample(
        index=index,
        split=side.split if side is not None else "test" if late else "train",
        side=side,
        texture=sample_texture(scene.texture, (width, height), draw(Stream.TEXTURE)),
        metal=sample_metal(scene.metal, draw(Stream.METAL)),
        impurities=scattered(
            IMPURITIES, scene.chosen_impurities() if impure else {}, Stream.IMPURITY
        ),
        defects=scattered(
            FLAWS, scene.chosen_defects() if side and side.defects else {}, Stream.DEFECT
        ),
        light=sample_light(scene.lights, draw(Stream.LIGHT)),
        views=views,
        sensor=sample_sensor(scene.sensor, draw(Stream.SENSOR), pattern_seed(scene)),
        cycles_seeds=tuple(cycles.seed() for _ in views),
    )


def pattern_seed(scene: Scene) -> int:
    """Return the seed of the camera's fixed pattern, one for the whole dataset."""
    return Draw(seed_sequence(scene.seed, DATASET, Stream.SENSOR)).seed()


def plan(scene: Scene) -> list[Sample]:
    """Draw the whole dataset."""
    return [plan_sample(scene, index) for index in range(scene.samples)]


def plan_to_json(scene: Scene) -> dict[str, Any]:
    """Return scene and plan as JSON-serialisable numbers."""
    return {
        "scene": dataclasses.asdict(scene),
        "picture_shape": picture_shape(scene.camera, scene.scale),
        "samples": [sample.to_json() for sample in plan(scene)],
    }


def variants(scene: Scene) -> dict[str, Variant]:
    """Return the scene's light variants by name."""
    return {name: VARIANTS[name] for name in scene.lights.variants}


def picture_count(scene: Scene) -> int:
    """Return how many pictures of plates the dataset holds."""
    columns, rows = scene.camera.views
    twins = 2 if scene.makes_twins() else 1
    return scene.samples * columns * rows * len(scene.lights.variants) * twins
