"""The defects there are, by the name that scenes and annotations call them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from render.surface import bump, dent, scratch
from render.surface.relief import Box, Relief


@dataclass(frozen=True)
class Defect:
    """One kind of defect: a type of ranges, and what can be done with it.

    Attributes:
        ranges: dataclass of ranges; its defaults are usable.
        validate: ranges -> None; ValueError names key, value and expectation.
        sample: (ranges, area_mm, rng) -> list of explicit defects.
        from_dict: what `dataclasses.asdict` and JSON made of one -> the same again.
        relief: (defect, x_mm, y_mm) -> height_mm, slope_x, slope_y at points.
        boxes: defect -> boxes (mm) that together hold all of its relief.
        inside: (defect, relief) -> bool, whether a point belongs to the mask.
    """

    ranges: type[Any]
    validate: Callable[[Any], None]
    sample: Callable[..., list[Any]]
    from_dict: Callable[..., Any]
    relief: Callable[..., Relief]
    boxes: Callable[[Any], list[Box]]
    inside: Callable[[Any, Relief], Any]

    def box(self, defect: Any) -> Box:
        """Return the one box (mm) that holds all of a defect's relief."""
        x0, y0, x1, y1 = np.array(self.boxes(defect)).T
        return float(x0.min()), float(y0.min()), float(x1.max()), float(y1.max())


#: Where defects overlap the later kind is labelled. Append, never reorder: plans and class indices
#: depend on the place.
DEFECTS: dict[str, Defect] = {
    bump.CLASS_NAME: Defect(
        bump.BumpRanges,
        bump.validate,
        bump.sample_bumps,
        bump.Bump.from_dict,
        bump.relief,
        bump.boxes_mm,
        bump.inside,
    ),
    dent.CLASS_NAME: Defect(
        dent.DentRanges,
        dent.validate,
        dent.sample_dents,
        dent.Dent.from_dict,
        dent.relief,
        dent.boxes_mm,
        dent.inside,
    ),
    scratch.CLASS_NAME: Defect(
        scratch.ScratchRanges,
        scratch.validate,
        scratch.sample_scratches,
        scratch.Scratch.from_dict,
        scratch.relief,
        scratch.boxes_mm,
        scratch.inside,
    ),
}
