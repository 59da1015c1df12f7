"""One connector: its body, what is wrong with it, its surface, and how it is photographed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from render.lights.softbox import Softbox, sample_softbox
from render.parts.connector.body import Body, in_formation
from render.parts.connector.pose import Pose, sample_pose
from render.parts.connector.registry import FLAWS
from render.parts.connector.scene import ConnectorRanges
from render.parts.connector.surface.ce_label import sample_ce_label
from render.parts.connector.surface.cloth import Cloth, sample_cloth
from render.parts.connector.surface.zinc import Zinc, sample_zinc
from render.plan import Streams
from render.series import Side
from stainless.streams import Stream

#: Numbers of the purposes of the body's random numbers. Append, never renumber.
_BODY, _LABEL, _ZINC, _CLOTH, _POSE = range(5)


@dataclass(frozen=True)
class ConnectorSample:
    """One side of a connector.

    Attributes:
        body: the part, without its flaws; the same for both sides.
        front: whether the front is up.
        zinc: the surface of this side.
        cloth: what it lies on.
        flaws: what is wrong with it, by kind.
        poses: how it lies, one for each picture.
        softbox: the light.
    """

    body: Body
    front: bool
    zinc: Zinc
    cloth: Cloth
    flaws: dict[str, list[Any]]
    poses: tuple[Pose, ...]
    softbox: Softbox


def sample_connector(
    ranges: ConnectorRanges, pictures: int, side: Side | None, streams: Streams
) -> ConnectorSample:
    """Draw one side of a connector.

    Args:
        ranges: what is drawn from.
        pictures: how many are taken of the side.
        side: which side of which part; None for the front of a good one.
        streams: of the side's random numbers. What both sides share is drawn from those of the
            part's first side.
    """
    behind = 0 if side is None else side.side
    shared = dataclasses.replace(streams, sample=streams.sample - behind)
    body = _body(ranges, shared)
    flaws: dict[str, list[Any]] = {}
    chosen = ranges.chosen_flaws()
    front = behind % 2 == 0
    if side is not None and side.defects and chosen:
        name = list(chosen)[side.part % len(chosen)]
        kind = FLAWS[name]
        if front or not kind.front_only:
            source = shared if kind.through else streams
            flaws[name] = kind.sample(chosen[name], body, source.draw(Stream.DEFECT, kind.stream))
    return ConnectorSample(
        body=body,
        front=front,
        zinc=sample_zinc(ranges.zinc, streams.draw(Stream.PART, _ZINC)),
        cloth=sample_cloth(ranges.cloth, streams.draw(Stream.PART, _CLOTH)),
        flaws=flaws,
        poses=tuple(
            sample_pose(ranges.pose, streams.draw(Stream.PART, _POSE, number))
            for number in range(pictures)
        ),
        softbox=sample_softbox(ranges.softbox, streams.draw(Stream.LIGHT)),
    )


def _body(ranges: ConnectorRanges, streams: Streams) -> Body:
    """Draw a part without flaws."""
    draw, label = streams.draw(Stream.PART, _BODY), streams.draw(Stream.PART, _LABEL)
    formation = ranges.formations[int(draw.rng.random() * len(ranges.formations))]
    length, width, thickness = ranges.size_mm
    return Body(
        length_mm=length,
        width_mm=width,
        thickness_mm=thickness,
        corner_mm=draw(ranges.corner_mm),
        bevel_mm=draw(ranges.bevel_mm),
        formation=formation,
        holes=in_formation(formation, ranges.hole_bevel_mm, ranges.misplaced_mm, draw),
        label=None if ranges.label is None else sample_ce_label(ranges.label, label),
    )
