"""The plan: every number of a dataset, before anything is rendered.

Pure Python and numpy; needs neither bpy nor Blender. A plan is a list of samples that depend on
nothing but scene, seed and their own index, so that more samples change none of those before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from render.camera import View, picture_shape, sample_views
from render.part import part
from render.scene import Scene
from render.sensor import Sensor, sample_sensor
from render.series import Side, side_of, views_of
from stainless.streams import DATASET, Draw, Stream, seed_sequence


@dataclass(frozen=True)
class Streams:
    """Where one sample's random numbers come from: a stream for each purpose.

    Attributes:
        seed: of the dataset.
        sample: index of the sample.
    """

    seed: int
    sample: int

    def draw(self, stream: Stream, *more: int) -> Draw:
        """Return what draws numbers from ranges for a purpose; `more` are its finer numbers."""
        return Draw(seed_sequence(self.seed, self.sample, stream, *more))

    def generator(self, stream: Stream, *more: int) -> np.random.Generator:
        """Return the generator of a purpose; `more` are its finer numbers."""
        return np.random.default_rng(seed_sequence(self.seed, self.sample, stream, *more))


@dataclass(frozen=True)
class Sample:
    """One realisation of a part, and how it is photographed.

    Attributes:
        kind: name of the kind of part.
        index: its number within the dataset.
        split: `train`, `validation` or `test`.
        side: which side of which part it is, in a series.
        part: what the kind of part has drawn.
        views: the camera positions.
        sensor: the exposure.
        cycles_seeds: seed of Cycles' sampling pattern, one a view.
    """

    kind: str
    index: int
    split: str
    side: Side | None
    part: Any
    views: tuple[View, ...]
    sensor: Sensor
    cycles_seeds: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the sample as JSON-serialisable numbers."""
        return {
            "index": self.index,
            "split": self.split,
            "side": None if self.side is None else dataclasses.asdict(self.side),
            **part(self.kind).to_json(self.part),
            "views": [dataclasses.asdict(view) for view in self.views],
            "sensor": dataclasses.asdict(self.sensor),
            "cycles_seeds": list(self.cycles_seeds),
        }


def plan_sample(scene: Scene, index: int) -> Sample:
    """Draw one sample; the same scene and index give the same sample."""
    streams = Streams(scene.seed, index)
    side = None if scene.series is None else side_of(scene.series, index)
    late = scene.test_every and (index + 1) % scene.test_every == 0
    views = sample_views(scene.camera, streams.draw(Stream.CAMERA))[: view_count(scene, index)]
    cycles = streams.draw(Stream.CYCLES)
    return Sample(
        kind=scene.part,
        index=index,
        split=side.split if side is not None else "test" if late else "train",
        side=side,
        part=part(scene.part).sample(scene, side, streams),
        views=views,
        sensor=sample_sensor(scene.sensor, streams.draw(Stream.SENSOR), pattern_seed(scene)),
        cycles_seeds=tuple(cycles.seed() for _ in views),
    )


def pattern_seed(scene: Scene) -> int:
    """Return the seed of the camera's fixed pattern, one for the whole dataset."""
    return Streams(scene.seed, DATASET).draw(Stream.SENSOR).seed()


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


def picture_count(scene: Scene, samples: Iterable[int] | None = None) -> int:
    """Return how many pictures of parts some samples are, or all of the dataset."""
    indices = range(scene.samples) if samples is None else samples
    views = sum(view_count(scene, index) for index in indices)
    return views * len(part(scene.part).shots(scene))


def view_count(scene: Scene, index: int) -> int:
    """Return how many views a sample is photographed from."""
    columns, rows = scene.camera.views
    most = None if scene.series is None else views_of(scene.series, index)
    return columns * rows if most is None else min(most, columns * rows)
