"""How what a detector says is made comparable with what another one says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from train.calibration import Calibration
from train.detectors.detector import Score


class Scale(Protocol):
    """Maps the values of pictures, and those of pixels, to what all members share."""

    def value(self, value: float) -> float:
        """Return what a picture's value stands for."""

    def pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Return what the values of an anomaly map stand for, float32."""


@dataclass(frozen=True)
class Carried:
    """Probabilities of a calibration, which is of pictures.

    A pixel has the probability of a picture of that value: the values of pictures and of pixels are
    on one scale where a picture's is that of its most anomalous patch or pixel.
    """

    calibration: Calibration

    def value(self, value: float) -> float:
        """Return the probability that the picture is defective."""
        return float(self.calibration.probability(value))

    def pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Return the probability that a picture of such a value is defective."""
        return self.calibration.probability(pixels).astype(np.float32)


@dataclass(frozen=True)
class Nominal:
    """Deviations from what the training pictures have, in standard deviations.

    Attributes:
        mean, spread: of the values of pictures.
        pixel_mean, pixel_spread: of the values of pixels.
    """

    mean: float
    spread: float
    pixel_mean: float
    pixel_spread: float

    def value(self, value: float) -> float:
        """Return the deviation of a picture's value."""
        return (value - self.mean) / self.spread

    def pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Return the deviations of the values of pixels."""
        found: np.ndarray = (pixels - np.float32(self.pixel_mean)) / np.float32(self.pixel_spread)
        return found

    def entry(self) -> dict[str, Any]:
        """Return it, JSON-able."""
        return asdict(self)


class Moments:
    """Mean and spread of the scores of nominal pictures, one after the other."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._pixels = np.zeros(3)

    def add(self, score: Score) -> None:
        """Take a picture's value and map into account."""
        self._values.append(score.value)
        if score.map is not None:
            wide = score.map.astype(np.float64)
            self._pixels += wide.size, wide.sum(), np.square(wide).sum()

    def scale(self) -> Nominal:
        """Return the scale; scores that are all the same are only shifted."""
        count, total, squares = self._pixels
        mean = total / count
        spread = np.sqrt(max(squares / count - mean * mean, 0.0))
        values = np.array(self._values)
        return Nominal(
            float(values.mean()), float(values.std()) or 1.0, float(mean), float(spread) or 1.0
        )
