"""Which thresholds of a model decide, and which rule each of them comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stainless.errors import InputError
from train.verdicts.aggregation import picture_rejected, verdict
from train.verdicts.rule import PICTURE, PIXEL

#: The rule of a threshold that was given on the command line.
GIVEN = "given"

#: What decides on a picture where it has no threshold of its own.
ANY_PIXEL = "any pixel"

NONE = (None, None)


@dataclass(frozen=True)
class Decision:
    """The thresholds in force.

    Attributes:
        pixel: a pixel is anomalous at or above it; None where there is none.
        pixel_rule: where it comes from.
        picture: a picture is anomalous if its score is at or above it; None for a picture that is
            anomalous with any anomalous pixel.
        picture_rule: where it comes from.
    """

    pixel: float | None
    pixel_rule: str | None
    picture: float | None
    picture_rule: str | None

    @property
    def rule(self) -> str:
        """Which rule speaks on whole pictures."""
        if self.picture is None:
            return f"{self.pixel_rule}, {ANY_PIXEL}"
        return str(self.picture_rule)

    def of(self, value: float, anomaly_map: np.ndarray | None) -> dict[str, Any]:
        """Return the verdict on a picture, and the rule and threshold it comes from.

        Args:
            value: score of the picture.
            anomaly_map: (H, W) float32; None of a method that gives none.

        Raises:
            InputError: only pixels have a threshold, and there is no map.
        """
        if self.picture is not None:
            rejected, threshold = value >= self.picture, self.picture
        else:
            if anomaly_map is None or self.pixel is None:
                raise InputError("the method gives no anomaly map; give --picture-threshold")
            rejected, threshold = picture_rejected(anomaly_map, self.pixel), self.pixel
        return {"verdict": verdict(rejected), "rule": self.rule, "threshold": threshold}


def decide(
    thresholds: Mapping[str, Mapping[str, Any]],
    pixel: float | None = None,
    picture: float | None = None,
) -> Decision | None:
    """Return what decides: thresholds that are given, else those of a model.

    Args:
        thresholds: of the model, by what they are of.
        pixel: given for pixels; without one for pictures, any pixel decides on these.
        picture: given for pictures.

    Returns:
        None if there is no threshold at all.
    """
    known = {kind: (float(entry["value"]), entry["rule"]) for kind, entry in thresholds.items()}
    pixels, pictures = known.get(PIXEL, NONE), known.get(PICTURE, NONE)
    if pixel is not None:
        pixels, pictures = (pixel, GIVEN), NONE
    if picture is not None:
        pictures = (picture, GIVEN)
    return None if pixels == pictures == NONE else Decision(*pixels, *pictures)
