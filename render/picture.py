"""From one planned sample to its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from render.camera import picture_shape
from render.cycles.tracer import Tracer
from render.part import Bool, Exposure, Float32, Frame, Labels, Part, Shot, part
from render.plan import Sample
from render.scene import Scene
from render.sensor import Sensor, develop, noise_field, through_lens
from stainless.dataset.layouts import TRUTHS


@dataclass(frozen=True)
class Picture:
    """One photograph and its labels.

    Attributes:
        view: index of the camera position.
        shot: which of the position's pictures.
        pixels: (H, W) uint8 or uint16, or (H, W, 3) red, green and blue.
        labels: what is where.
        truth: the ground truth, (H, W), by kind; only those kinds that the picture shows.
    """

    view: int
    shot: Shot
    pixels: npt.NDArray[np.unsignedinteger]
    labels: Labels
    truth: dict[str, Bool]


def render_sample(scene: Scene, sample: Sample, tracer: Tracer) -> Iterator[Picture]:
    """Render all pictures of one sample.

    Args:
        scene: the dataset's scene.
        sample: what to render.
        tracer: what renders; no pixel depends on its threads.

    Yields:
        For every view the pictures of its shots.
    """
    for number in range(len(sample.views)):
        yield from render_view(scene, sample, number, tracer)


def render_view(scene: Scene, sample: Sample, number: int, tracer: Tracer) -> Iterator[Picture]:
    """Render the pictures of one of a sample's views; see `render_sample`."""
    kind = part(scene.part)
    shape = picture_shape(scene.camera, scene.scale)
    frame = Frame(number, sample.views[number], shape, sample.cycles_seeds[number])
    light: Float32 | None = None
    for exposure in kind.expose(scene, sample, frame, tracer):
        light = behind_lens(exposure, sample.sensor, light)
        noise = noise_field(sample.sensor, light.shape, number, exposure.shot.place)
        pixels = develop(light, sample.sensor, noise, scene.sensor.curve)
        if exposure.kept is not None:
            pixels = pixels * exposure.kept[..., None]
        yield Picture(
            number,
            exposure.shot,
            pixels[..., 0] if pixels.shape[2] == 1 else pixels,
            exposure.labels,
            _truth(kind, exposure.labels),
        )


def behind_lens(exposure: Exposure, sensor: Sensor, before: Float32 | None) -> Float32:
    """Return an exposure's light behind the lens, (H, W, C).

    Args:
        exposure: with its light before the lens.
        sensor: its lens counts.
        before: light behind the lens of the exposure before, kept where the two may not differ.
    """
    light = through_lens(exposure.radiance, sensor)
    if exposure.differs is None or before is None:
        return light
    return np.where(exposure.differs[..., None], light, before)


def _truth(kind: Part, labels: Labels) -> dict[str, Bool]:
    """Return the ground truth of what a picture shows, by kind."""
    masks = {
        truth: labels.truth([flaw for flaw in kind.flaws.values() if flaw.truth == truth])
        for truth in TRUTHS
    }
    return {truth: mask for truth, mask in masks.items() if mask.any()}
