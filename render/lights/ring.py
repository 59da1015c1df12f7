"""The hexagonal ring light around the optical axis.

A ring of six straight bars hangs over the part and shines down. Its variants are those of the
Sequential PatchCore paper (section III): `hexagon`, the same turned by 90 degrees (for a regular
hexagon the same as 30 degrees), and the same at twice the power.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from render.cycles.materials import Emission
from render.cycles.stage import Mesh
from stainless.ranges import Range, bounds, check_range, shown
from stainless.streams import Draw

SIDES = 6


@dataclass(frozen=True)
class Variant:
    """A light variant: how the sample's ring light is turned and driven.

    Attributes:
        turn_rad: turn about the optical axis.
        power: factor on all light.
        suffix: what it adds to a category's name.
    """

    turn_rad: float
    power: float
    suffix: str


#: Append, never reorder: a variant's place is part of the seed of its sensor noise.
VARIANTS = {
    "hexagon": Variant(0.0, 1.0, ""),
    "hexagon_rot90": Variant(np.pi / 2, 1.0, "_rot90"),
    "hexagon_x2": Variant(0.0, 2.0, "_x2"),
}


@dataclass(frozen=True)
class HexagonLight:
    """One ring light.

    Attributes:
        inner_mm, outer_mm: circumradius of the inner and the outer hexagon.
        height_mm: distance of the ring from the plane z = 0.
        x_mm, y_mm: the ring's centre against the optical axis.
        angle_rad: turn of the ring; at 0 a corner lies on the x axis.
        radiance: emitted radiance of each of the six bars (relative units).
        ambient: radiance that comes from everywhere else, light of the ring scattered by the
            surroundings.
    """

    inner_mm: float
    outer_mm: float
    height_mm: float
    x_mm: float
    y_mm: float
    angle_rad: float
    radiance: tuple[float, ...]
    ambient: float


def bar_corners(light: HexagonLight) -> npt.NDArray[np.float64]:
    """Return the corners of the six bars, (6, 4, 3) in mm, clockwise seen from above.

    Clockwise from above makes their normals point down, at the part.
    """
    angle = light.angle_rad + np.arange(SIDES + 1) * 2 * np.pi / SIDES
    around = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)
    centre = np.array([light.x_mm, light.y_mm, light.height_mm])
    inner, outer = centre + light.inner_mm * around, centre + light.outer_mm * around
    return np.stack([inner[:-1], inner[1:], outer[1:], outer[:-1]], axis=1)


def placed(light: HexagonLight, x_mm: float, y_mm: float, turn_rad: float) -> HexagonLight:
    """Return the ring as it hangs around an optical axis: the light rides with the camera.

    Args:
        light: the ring, relative to the optical axis.
        x_mm, y_mm: where the optical axis meets the plane z = 0.
        turn_rad: turn of the ring about its own centre, its uneven bars with it.
    """
    return replace(
        light,
        x_mm=x_mm + light.x_mm,
        y_mm=y_mm + light.y_mm,
        angle_rad=light.angle_rad + turn_rad,
    )


@dataclass
class LightRanges:
    """What the ring light draws from.

    Attributes:
        variants: names of the light variants to render.
        inner_mm: circumradius of the inner hexagon.
        outer_mm: circumradius of the outer hexagon.
        height_mm: distance of the ring from the plane z = 0.
        radiance: emitted radiance, relative.
        imbalance: largest relative deviation of a single bar from the ring's radiance.
        decentring_mm: largest distance of the ring's centre from the optical axis, along x and y.
        turn_deg: largest turn of the ring against the camera, either way.
        ambient: light from everywhere else, as a share of the ring's radiance.
    """

    variants: list[str] = field(default_factory=lambda: ["hexagon"])
    inner_mm: Range = 10.0
    outer_mm: Range = 18.0
    height_mm: Range = (145.0, 155.0)
    radiance: Range = (0.9, 1.1)
    imbalance: Range = (0.0, 0.15)
    decentring_mm: Range = (0.0, 2.0)
    turn_deg: Range = (0.0, 3.0)
    ambient: Range = (0.015, 0.025)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        for name in self.variants:
            if name not in VARIANTS:
                raise ValueError(f"{key}.variants: {name}, expected among {', '.join(VARIANTS)}")
        if not self.variants:
            raise ValueError(f"{key}.variants: [], expected at least one")
        if len(set(self.variants)) < len(self.variants):
            raise ValueError(f"{key}.variants: {self.variants}, expected each name once")
        check_range(f"{key}.inner_mm", self.inner_mm, least=0.0, most=1000.0)
        check_range(f"{key}.outer_mm", self.outer_mm, most=2000.0, above=0.0)
        if bounds(self.outer_mm)[0] <= bounds(self.inner_mm)[1]:
            raise ValueError(f"{key}.outer_mm: {shown(self.outer_mm)}, expected more than inner_mm")
        check_range(f"{key}.height_mm", self.height_mm, 1.0, 10_000.0)
        check_range(f"{key}.radiance", self.radiance, above=0.0)
        check_range(f"{key}.imbalance", self.imbalance, 0.0, 1.0)
        check_range(f"{key}.decentring_mm", self.decentring_mm, 0.0, 1000.0)
        check_range(f"{key}.turn_deg", self.turn_deg, 0.0, 180.0)
        check_range(f"{key}.ambient", self.ambient, 0.0, 1.0)


def sample_light(ranges: LightRanges, draw: Draw) -> HexagonLight:
    """Draw one sample's ring light, in the `hexagon` variant."""
    radiance = draw(ranges.radiance)
    return HexagonLight(
        inner_mm=draw(ranges.inner_mm),
        outer_mm=draw(ranges.outer_mm),
        height_mm=draw(ranges.height_mm),
        x_mm=draw.around(ranges.decentring_mm),
        y_mm=draw.around(ranges.decentring_mm),
        angle_rad=float(np.radians(draw.around(ranges.turn_deg))),
        ambient=radiance * draw(ranges.ambient),
        radiance=tuple(radiance * (1 + draw.around(ranges.imbalance)) for _ in range(SIDES)),
    )


def bars(light: HexagonLight) -> tuple[Mesh, ...]:
    """Return the ring as it stands on a stage: six bars that shine and that no camera sees."""
    return tuple(
        Mesh(
            f"bar_{side}",
            corners,
            ((0, 1, 2, 3),),
            (Emission(radiance=light.radiance[side]),),
            seen_by_camera=False,
        )
        for side, corners in enumerate(bar_corners(light))
    )
