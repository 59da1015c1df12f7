"""The exposures of a connector."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from render.camera import View, footprint
from render.cycles.stage import Stage
from render.cycles.tracer import Tracer
from render.part import Exposure, Frame, Labels, Shot, sampling
from render.parts.connector.masks import labels_of
from render.parts.connector.sample import ConnectorSample
from render.parts.connector.shape import Shape, in_order, shape_of
from render.parts.connector.stage import Box, Placed, stage_of
from render.parts.connector.surface.paint import COAT
from render.parts.connector.surface.top import top_finish
from render.parts.connector.surface.zinc import coat
from render.plan import Sample
from render.scene import Scene

#: The twin without flaws; both share their noise.
SOUND = Shot(suffix="_sound")

#: Texels to a pixel, along an edge, and the limits of a texel's own (mm).
_FINER = 1.5
_LEAST_MM, _MOST_MM = 0.03, 0.4
#: What lies around a part on its textures, and around a picture on the cloth's (mm).
_MARGIN_MM = 0.5


def shots(scene: Any) -> list[Shot]:
    """Return the pictures of a view."""
    return [Shot(), SOUND] if scene.connector.twins else [Shot()]


def expose(scene: Scene, sample: Sample, frame: Frame, tracer: Tracer) -> Iterator[Exposure]:
    """Yield the exposures of one view, in the order of `shots`."""
    part: ConnectorSample = sample.part
    pose = part.poses[frame.number]
    how = sampling(scene, frame, tracer, channels=3)
    sound, shape = shape_of(part.body, {}), shape_of(part.body, part.flaws)
    stage = build(part, shape, part.flaws, frame.view, frame.shape, frame.number)
    radiance = tracer.render(stage, frame.view, frame.shape, how)
    yield Exposure(Shot(), radiance, labels_of(part, sound, shape, frame.view, frame.shape, pose))
    if len(shots(scene)) > 1:
        if part.flaws:
            stage = build(part, sound, {}, frame.view, frame.shape, frame.number)
            radiance = tracer.render(stage, frame.view, frame.shape, how)
        nothing = np.zeros(frame.shape, np.uint8)
        yield Exposure(SOUND, radiance, Labels(nothing, nothing.astype(np.uint16)))


def build(
    part: ConnectorSample,
    shape: Shape,
    flaws: Mapping[str, Sequence[Any]],
    view: View,
    size: tuple[int, int],
    number: int,
) -> Stage:
    """Return the stage of one picture.

    Args:
        part: the side that is up.
        shape: its shape.
        flaws: what else is wrong with its surface, and what lies on it.
        view: the camera.
        size: rows and columns of the picture.
        number: of the pose.
    """
    pose = part.poses[number]
    # A part that was sprayed to hide a flaw is sprayed in its twin without the flaw as well.
    paints = [
        seed
        for kind, flaw in in_order(part.flaws)
        for seed in (kind.painted(flaw),)
        if seed is not None
    ]
    texel = float(np.clip(view.field_of_view_mm / size[1] / _FINER, _LEAST_MM, _MOST_MM))
    box = _box(part)
    finish = top_finish(shape, flaws, paints, part.zinc, part.front, box, texel)
    rims = COAT if paints else coat(part.zinc)
    parts = [Placed(shape, part.front, pose, 0.0, rims, finish, box)]
    for kind, flaw in in_order(flaws):
        second = kind.second(flaw)
        if second is not None:
            x, y, turn, seed = second
            whole = shape_of(part.body, {})
            zinc = dataclasses.replace(part.zinc, seed=seed)
            above = top_finish(whole, {}, (), zinc, part.front, box, texel)
            lies = pose.of(x, y, turn)
            level = part.body.thickness_mm
            parts.append(Placed(whole, part.front, lies, level, coat(zinc), above, box))
    return stage_of(
        parts, part.cloth, _window(view, size, part.body.thickness_mm), texel, part.softbox
    )


def _box(part: ConnectorSample) -> Box:
    """Return the box of a part's textures."""
    x = part.body.length_mm / 2 + _MARGIN_MM
    y = part.body.width_mm / 2 + _MARGIN_MM
    return (-x, -y), (x, y)


def _window(view: View, size: tuple[int, int], below_mm: float) -> Box:
    """Return the box of the cloth that a picture shows; its threads stay where they are."""
    low, high = footprint(view, size)
    share = 1 + 2 * below_mm / view.distance_mm
    low, high = np.floor(low * share - _MARGIN_MM), np.ceil(high * share + _MARGIN_MM)
    return (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))
