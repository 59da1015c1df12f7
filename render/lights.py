"""The hexagonal ring light around the optical axis.

A ring of six straight bars hangs over the plate and shines down. Its variants are those of the
Sequential PatchCore paper (section III): `hexagon`, the same turned by 90 degrees (for a regular
hexagon the same as 30 degrees), and the same at twice the power.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SIDES = 6


@dataclass(frozen=True)
class HexagonLight:
    """One ring light.

    Attributes:
        inner_mm, outer_mm: circumradius of the inner and the outer hexagon.
        height_mm: distance of the ring from the plate.
        x_mm, y_mm: the ring's centre, decentred against the optical axis.
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

    Clockwise from above makes their normals point down, at the plate.
    """
    angle = light.angle_rad + np.arange(SIDES + 1) * 2 * np.pi / SIDES
    around = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)
    centre = np.array([light.x_mm, light.y_mm, light.height_mm])
    inner, outer = centre + light.inner_mm * around, centre + light.outer_mm * around
    return np.stack([inner[:-1], inner[1:], outer[1:], outer[:-1]], axis=1)
