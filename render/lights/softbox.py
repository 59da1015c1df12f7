"""A softbox: a rectangular panel of even light that hangs over the table and faces the part.

It is the light of studios and of the photographs that flat connectors were taken with in Saghir,
"Ensemble Methods for Visual Anomaly Detection in Manufacturing Settings", section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from render.cycles.materials import Emission
from render.cycles.stage import Mesh
from stainless.ranges import Range, check_range
from stainless.streams import Draw


@dataclass(frozen=True)
class Softbox:
    """One softbox.

    Attributes:
        width_mm, depth_mm: edges of the panel, the first one horizontal.
        distance_mm: from the origin to the middle of the panel.
        azimuth_rad: direction of that middle, seen from above, against the x axis.
        zenith_rad: angle between the direction of that middle and the z axis.
        radiance: emitted radiance, red, green and blue (relative units).
        ambient: radiance that comes from everywhere else, red, green and blue.
    """

    width_mm: float
    depth_mm: float
    distance_mm: float
    azimuth_rad: float
    zenith_rad: float
    radiance: tuple[float, float, float]
    ambient: tuple[float, float, float]


@dataclass
class SoftboxRanges:
    """What the softbox draws from.

    Attributes:
        width_mm: horizontal edge of the panel.
        depth_mm: its other edge.
        distance_mm: from the part to the middle of the panel.
        azimuth_deg: direction of the panel seen from above, against the x axis.
        zenith_deg: angle of the panel off the vertical.
        radiance: emitted radiance, relative.
        warmth: how much more red than blue the light has, relative; negative for cold light.
        ambient: light from everywhere else, as a share of the panel's radiance.
    """

    width_mm: Range = (380.0, 420.0)
    depth_mm: Range = (280.0, 320.0)
    distance_mm: Range = (430.0, 470.0)
    azimuth_deg: Range = (80.0, 100.0)
    zenith_deg: Range = (30.0, 36.0)
    radiance: Range = (0.95, 1.05)
    warmth: Range = (0.0, 0.06)
    ambient: Range = (0.10, 0.14)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        for name in ("width_mm", "depth_mm"):
            check_range(f"{key}.{name}", getattr(self, name), 1.0, 10_000.0)
        check_range(f"{key}.distance_mm", self.distance_mm, 10.0, 10_000.0)
        check_range(f"{key}.azimuth_deg", self.azimuth_deg, -360.0, 360.0)
        check_range(f"{key}.zenith_deg", self.zenith_deg, 0.0, 80.0)
        check_range(f"{key}.radiance", self.radiance, above=0.0)
        check_range(f"{key}.warmth", self.warmth, -1.0, 1.0)
        check_range(f"{key}.ambient", self.ambient, 0.0, 1.0)


def sample_softbox(ranges: SoftboxRanges, draw: Draw) -> Softbox:
    """Draw one softbox."""
    width, depth = draw(ranges.width_mm), draw(ranges.depth_mm)
    distance = draw(ranges.distance_mm)
    azimuth, zenith = np.radians(draw(ranges.azimuth_deg)), np.radians(draw(ranges.zenith_deg))
    radiance, warmth, ambient = draw(ranges.radiance), draw(ranges.warmth), draw(ranges.ambient)
    colour = (radiance * (1 + warmth / 2), radiance, radiance * (1 - warmth / 2))
    surroundings = (radiance * ambient, radiance * ambient, radiance * ambient * (1 + warmth / 2))
    return Softbox(width, depth, distance, float(azimuth), float(zenith), colour, surroundings)


def panel_corners(light: Softbox) -> npt.NDArray[np.float64]:
    """Return the corners of the panel, (4, 3) in mm, counter-clockwise seen from the origin."""
    towards = np.array(
        [
            np.sin(light.zenith_rad) * np.cos(light.azimuth_rad),
            np.sin(light.zenith_rad) * np.sin(light.azimuth_rad),
            np.cos(light.zenith_rad),
        ]
    )
    across = np.array([-np.sin(light.azimuth_rad), np.cos(light.azimuth_rad), 0.0])
    up = np.cross(towards, across)
    u, v = across * light.width_mm / 2, up * light.depth_mm / 2
    return light.distance_mm * towards + np.stack([u + v, u - v, -u - v, -u + v])


def panel(light: Softbox) -> Mesh:
    """Return the softbox as it stands on a stage: a panel that shines and that no camera sees."""
    return Mesh(
        "softbox",
        panel_corners(light),
        ((0, 1, 2, 3),),
        (Emission(light.radiance),),
        seen_by_camera=False,
    )
