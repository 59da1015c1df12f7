"""What the rest of the plate's folder knows of a kind of flaw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from render.part import Flaw
from render.parts.plate.surface.relief import Box, Relief


@dataclass(frozen=True, kw_only=True)
class SurfaceFlaw(Flaw):
    """One kind of flaw of the plate's metal: a type of ranges, and what can be done with it.

    Attributes:
        layer: where flaws overlap the one with the highest is labelled. Instances are counted in
            this order.
        ranges: dataclass of ranges; its defaults are usable.
        validate: ranges -> None; ValueError names key, value and expectation.
        sample: (ranges, area_mm, rng) -> list of explicit flaws.
        relief: (flaw, x_mm, y_mm) -> height_mm, slope_x, slope_y at points.
        boxes: flaw -> boxes (mm) that together hold all of its relief.
        inside: (flaw, relief) -> bool, whether a point belongs to the mask.
    """

    layer: int
    ranges: type[Any]
    validate: Callable[[Any], None]
    sample: Callable[..., list[Any]]
    relief: Callable[..., Relief]
    boxes: Callable[[Any], list[Box]]
    inside: Callable[[Any, Relief], Any]

    def box(self, flaw: Any) -> Box:
        """Return the one box (mm) that holds all of a flaw's relief."""
        x0, y0, x1, y1 = np.array(self.boxes(flaw)).T
        return float(x0.min()), float(y0.min()), float(x1.max()), float(y1.max())
