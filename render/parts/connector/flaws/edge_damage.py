"""Damage of the edge: dents that a blow has pushed in, and burrs that stand out.

Along the edge, t from the flaw's middle and w its half width, the edge moves inward by

    depth · (1 − (t/w)²)²

which is negative for a burr; a jag of shorter waves makes it ragged. The pushed metal rises behind
the edge and falls off within `reach_mm`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from render.parts.connector.body import Body
from render.parts.connector.flaw import ConnectorFlaw
from render.parts.connector.outline import finer
from stainless.ranges import Range, bounds, check_range
from stainless.streams import Draw

if TYPE_CHECKING:
    from render.parts.connector.shape import Shape

Float64 = npt.NDArray[np.float64]

#: Slopes below it are no different from the zinc's own waviness.
SLOPE_LIMIT = 0.04

_STEP_MM = 0.3


@dataclass(frozen=True)
class EdgeDamage:
    """One dent or burr.

    Attributes:
        x_mm, y_mm: its middle, on the edge.
        inward: unit vector into the sheet, along x or y.
        half_width_mm: along the edge.
        depth_mm: how far the edge moves in; negative for a burr.
        reach_mm: how far the surface is deformed behind the edge.
        rise: height of the deformed surface over `depth_mm`.
        jags: amplitude (relative), wave length over half width and phase of each.
    """

    x_mm: float
    y_mm: float
    inward: tuple[float, float]
    half_width_mm: float
    depth_mm: float
    reach_mm: float
    rise: float
    jags: tuple[tuple[float, float, float], ...]

    def along_and_in(self, x: Float64, y: Float64) -> tuple[Float64, Float64]:
        """Return points in the edge's own frame: along it and into the sheet."""
        dx, dy = x - self.x_mm, y - self.y_mm
        nx, ny = self.inward
        return ny * dx - nx * dy, nx * dx + ny * dy

    def offset(self, along: Float64) -> Float64:
        """Return how far the edge moves inward, in mm."""
        share = np.clip(along / self.half_width_mm, -1, 1)
        jag = sum(a * np.sin(2 * np.pi * share / wave + phase) for a, wave, phase in self.jags)
        return self.depth_mm * (1 - share**2) ** 2 * np.maximum(1 + jag, 0.1)

    def height(self, along: Float64, depth: Float64) -> Float64:
        """Return the height of the deformed surface, in mm."""
        behind = np.clip((depth - self.offset(along)) / self.reach_mm, 0, 1)
        rise = self.rise * abs(self.depth_mm)
        share = np.clip(along / self.half_width_mm, -1, 1)
        return rise * (1 - share**2) ** 2 * (1 - behind) ** 2 * (1 + 2 * behind)


@dataclass
class EdgeDamageRanges:
    """What dents and burrs draw from.

    Attributes:
        number: how many a part has, a whole number.
        burrs: share of them that are burrs instead of dents.
        half_width_mm: half of their length along the edge.
        depth_mm: how far a dent goes in.
        burr_mm: how far a burr stands out.
        reach_mm: how far the surface is deformed behind the edge.
    """

    number: Range = (1.0, 3.0)
    burrs: Range = 0.4
    half_width_mm: Range = (2.0, 4.5)
    depth_mm: Range = (0.8, 2.2)
    burr_mm: Range = (0.5, 1.1)
    reach_mm: Range = (1.5, 3.0)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.number", self.number, 1.0, 20.0)
        check_range(f"{key}.burrs", self.burrs, 0.0, 1.0)
        check_range(f"{key}.half_width_mm", self.half_width_mm, 0.2, 8.0)
        check_range(f"{key}.depth_mm", self.depth_mm, 0.05, 4.0)
        check_range(f"{key}.burr_mm", self.burr_mm, 0.05, 4.0)
        check_range(f"{key}.reach_mm", self.reach_mm, 0.1, 10.0)


class _EdgeDamage(ConnectorFlaw):
    """See the module."""

    def sample(self, ranges: EdgeDamageRanges, body: Body, draw: Draw) -> list[EdgeDamage]:
        """Draw a part's dents and burrs, evenly along its edge and apart from each other."""
        low, high = bounds(ranges.number)
        number = int(np.floor(draw((low, high + 1 - 1e-9)))) if high > low else round(low)
        flaws: list[EdgeDamage] = []
        for _ in range(number):
            flaw = _one(ranges, body, draw)
            if all(np.hypot(flaw.x_mm - o.x_mm, flaw.y_mm - o.y_mm) > 12 for o in flaws):
                flaws.append(flaw)
        return flaws

    def outline(self, flaw: EdgeDamage, line: Float64) -> Float64:
        """Move the edge."""
        along, depth = flaw.along_and_in(*line.T)
        on_edge, reach = np.abs(depth) < 1e-6, flaw.half_width_mm + 2.0
        near = on_edge & np.roll(on_edge, -1) & (np.abs(along) < reach)
        line = finer(line, _STEP_MM, near)
        along, depth = flaw.along_and_in(*line.T)
        moved = (np.abs(depth) < 1e-6) & (np.abs(along) < flaw.half_width_mm)
        by = np.where(moved, flaw.offset(along), 0.0)
        return line + by[:, None] * np.array(flaw.inward)

    def slopes(self, flaw: EdgeDamage, x: Float64, y: Float64) -> tuple[Float64, Float64]:
        """Return the slopes of the deformed surface, by differences of its height."""
        along, depth = flaw.along_and_in(x, y)
        step = 0.02
        by_depth = (flaw.height(along, depth + step) - flaw.height(along, depth - step)) / (
            2 * step
        )
        by_along = (flaw.height(along + step, depth) - flaw.height(along - step, depth)) / (
            2 * step
        )
        nx, ny = flaw.inward
        return nx * by_depth + ny * by_along, ny * by_depth - nx * by_along

    def region(self, flaw: EdgeDamage, sound: Shape, shape: Shape, x: Float64, y: Float64) -> Any:
        """Return what is missing or stands out, its rounded edge, and what is deformed."""
        along, depth = flaw.along_and_in(x, y)
        near = np.abs(along) < flaw.half_width_mm
        offset = flaw.offset(along)
        bevel = sound.body.bevel_mm
        edge = (depth > np.minimum(offset, 0)) & (depth < np.maximum(offset, 0) + bevel)
        edge &= np.abs(offset) > 0.05
        steep = np.hypot(*self.slopes(flaw, x, y)) > SLOPE_LIMIT
        return near & (edge | (steep & (depth >= offset) & (depth < offset + flaw.reach_mm)))


def _one(ranges: EdgeDamageRanges, body: Body, draw: Draw) -> EdgeDamage:
    """Draw one, on the straight part of an edge."""
    half = draw(ranges.half_width_mm)
    room_x = body.length_mm / 2 - body.corner_mm - half - 0.5
    room_y = body.width_mm / 2 - body.corner_mm - half - 0.5
    place = draw((-1.0, 1.0)) * (room_x + room_y)
    side = 1.0 if draw.rng.random() < 0.5 else -1.0
    if abs(place) <= room_x:
        x, y, inward = place, side * body.width_mm / 2, (0.0, -side)
    else:
        t = abs(place) - room_x
        x, y, inward = float(np.copysign(body.length_mm / 2, place)), side * t, (0.0, 0.0)
        inward = (-float(np.sign(x)), 0.0)
    burr = draw.rng.random() < draw(ranges.burrs)
    dent, out = draw(ranges.depth_mm), draw(ranges.burr_mm)
    # A dent stays clear of the holes.
    room = min(float(np.hypot(x - h.x_mm, y - h.y_mm)) - h.reach_mm for h in body.holes) - 0.6
    depth = -out if burr else max(min(dent, room), 0.3)
    jags = tuple(
        (
            draw((0.15, 0.4) if burr else (0.03, 0.12)),
            draw((0.35, 0.6) if burr else (0.5, 0.9)),
            draw((0.0, 6.28)),
        )
        for _ in range(2)
    )
    rise = draw((0.35, 0.6) if burr else (0.2, 0.4))
    return EdgeDamage(x, y, inward, half, depth, draw(ranges.reach_mm), rise, jags)


KIND = _EdgeDamage(index=101, stream=0, ranges=EdgeDamageRanges)
