"""The optical surface of the metal."""

from __future__ import annotations

from dataclasses import dataclass

from stainless.ranges import Range, check_range
from stainless.streams import Draw


@dataclass(frozen=True)
class Metal:
    """How a plate's clean surface reflects.

    Attributes:
        reflectance: share of the light that the clean metal reflects, in (0, 1].
        roughness: Cycles' roughness of the glossy lobe (its square is the GGX alpha).
        anisotropy: how much wider the lobe is across the grooves than along them, in [0, 1).
    """

    reflectance: float
    roughness: float
    anisotropy: float


@dataclass
class MetalRanges:
    """What the metal draws from.

    Attributes:
        reflectance: share of the light that the clean metal reflects.
        roughness: roughness of the glossy lobe.
        anisotropy: how much wider the lobe is across the grooves than along them.
    """

    reflectance: Range = (0.82, 0.9)
    roughness: Range = (0.28, 0.31)
    anisotropy: Range = (0.4, 0.5)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.reflectance", self.reflectance, most=1.0, above=0.0)
        check_range(f"{key}.roughness", self.roughness, 0.05, 1.0)
        check_range(f"{key}.anisotropy", self.anisotropy, 0.0, 0.95)


def sample_metal(ranges: MetalRanges, draw: Draw) -> Metal:
    """Draw one plate's metal."""
    return Metal(draw(ranges.reflectance), draw(ranges.roughness), draw(ranges.anisotropy))
