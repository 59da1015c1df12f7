"""Variation inside a stain's outline: patches of differing strength and drying rings.

Beyond Algorithm 1 of Mao et al. (arXiv 2501.09579), whose discussion asks for it. Rings follow the
"coffee ring": a drying drop leaves most of what it carried at its edge, and again wherever the
edge came to rest (Deegan et al., "Capillary flow as the cause of ring stains", Nature 389, 1997).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from impurities.perlin import perlin2

Array = NDArray[np.float64]

# Noise beyond ± this value is rare, so that the modes between share the surface about evenly.
_COMMON_NOISE = 0.4
# How much steeper than linear the passage from one mode to the next is.
_STEEPNESS = 3.0


@dataclass(frozen=True)
class Ring:
    """One drying ring.

    Attributes:
        position: d̂ of its crest, in [0, 1].
        width: half its width, in d̂.
        depth: the change of reflectance at its crest, negative for darker.
    """

    position: float
    width: float
    depth: float


@dataclass(frozen=True)
class Heterogeneity:
    """How one stain varies inside its outline.

    Attributes:
        mode_scales: factor on the change of reflectance, one for each mode.
        mode_frequency_per_mm: lattice cells per mm of the noise that selects the mode.
        mode_offset: (x, y) in [0, 256), in lattice cells.
        rings: drying rings.
    """

    mode_scales: tuple[float, ...] = (1.0,)
    mode_frequency_per_mm: float = 0.0
    mode_offset: tuple[float, float] = (0.0, 0.0)
    rings: tuple[Ring, ...] = ()

    def vary(self, change: Array, relative: Array, x_mm: Array, y_mm: Array) -> Array:
        """Return the change of reflectance with modes and rings.

        Args:
            change: d̂^γ·α at points inside the outline, (M,).
            relative: d̂ at the points.
            x_mm: where the points are.
            y_mm: the same.
        """
        if len(self.mode_scales) > 1:
            change = change * self._scale(x_mm, y_mm)
        for ring in self.rings:
            t = np.minimum(np.abs(relative - ring.position) / ring.width, 1.0)
            hump = 1.0 - t * t
            change = change + ring.depth * hump * hump
        return change

    def on_a_ring(self, relative: Array, margin: Array) -> NDArray[np.bool_]:
        """Return where a ring is near: it may be as narrow as a pixel.

        Args:
            relative: d̂ at points inside the outline.
            margin: how near, in d̂.
        """
        covered = np.zeros(relative.shape, dtype=np.bool_)
        for ring in self.rings:
            covered |= np.abs(relative - ring.position) < ring.width + margin
        return covered

    def _scale(self, x_mm: Array, y_mm: Array) -> Array:
        noise = perlin2(
            self.mode_frequency_per_mm * x_mm + self.mode_offset[0],
            self.mode_frequency_per_mm * y_mm + self.mode_offset[1],
        )
        last = len(self.mode_scales) - 1
        level = np.clip((noise / _COMMON_NOISE + 1.0) / 2.0, 0.0, 1.0) * last
        lower = np.minimum(np.floor(level), last - 1).astype(np.intp)
        t = np.clip((level - lower - 0.5) * _STEEPNESS + 0.5, 0.0, 1.0)
        smooth = t * t * (3.0 - 2.0 * t)
        scales = np.array(self.mode_scales)
        return scales[lower] + (scales[lower + 1] - scales[lower]) * smooth
