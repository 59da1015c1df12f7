"""What a calibration is once it is fitted: a few numbers, and what they make of a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np


class Curve(Protocol):
    """Gives probabilities; a frozen dataclass of numbers and lists of numbers."""

    #: What it is, with its source.
    title: ClassVar[str]

    def probability(self, scores: np.ndarray | float) -> np.ndarray:
        """Return, for scores of any shape, the probability that a picture is defective."""


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x, float)))


def logits(slope: float, intercept: float, scores: np.ndarray | float) -> np.ndarray:
    """Return slope * score + intercept, which a slope of 0 makes the same of any score."""
    values = np.asarray(scores, float)
    return slope * values + intercept if slope else np.full(values.shape, intercept)


@dataclass(frozen=True)
class Platt:
    """A sigmoid from 0 to 1: Platt scaling.

    Attributes:
        slope: at least 0; 0 where scores say nothing.
        intercept: of slope * score + intercept.
    """

    title: ClassVar[str] = "Platt scaling (Platt, 1999)"
    slope: float
    intercept: float

    def probability(self, scores: np.ndarray | float) -> np.ndarray:
        """Return the sigmoid."""
        return sigmoid(logits(self.slope, self.intercept, scores))


@dataclass(frozen=True)
class Bounded:
    """A sigmoid between two asymptotes: the generalised bounded sigmoid (Saghir, 2024, 4.3.4).

    Attributes:
        low: what a picture gets whose score is below all that were seen, above 0: the share of
            these that are defective and do not show it.
        high: what a picture gets whose score is above all, below 1; 1 - high is the share of these
            that are good all the same.
        slope: at least 0.
        intercept: of slope * score + intercept.
    """

    title: ClassVar[str] = "generalised bounded sigmoid (Saghir, 2024)"
    low: float
    high: float
    slope: float
    intercept: float

    def probability(self, scores: np.ndarray | float) -> np.ndarray:
        """Return the sigmoid between the asymptotes."""
        unit = sigmoid(logits(self.slope, self.intercept, scores))
        return self.low + (self.high - self.low) * unit


@dataclass(frozen=True)
class Isotonic:
    """The rising curve that is nearest to the labels: isotonic regression.

    Attributes:
        scores: where it bends, rising.
        values: there; straight between them, constant beyond.
    """

    title: ClassVar[str] = "isotonic regression (Zadrozny and Elkan, 2002; scikit-learn)"
    scores: list[float]
    values: list[float]

    def probability(self, scores: np.ndarray | float) -> np.ndarray:
        """Return the curve's value."""
        return np.interp(np.asarray(scores, float), self.scores, self.values)


@dataclass(frozen=True)
class Histogram:
    """The mean label of each bin of scores: histogram binning.

    Attributes:
        edges: between the bins, rising; one less than values.
        values: of the bins. They need not rise.
    """

    title: ClassVar[str] = "histogram binning (Zadrozny and Elkan, 2001; scikit-learn)"
    edges: list[float]
    values: list[float]

    def probability(self, scores: np.ndarray | float) -> np.ndarray:
        """Return the value of the bin."""
        bins = np.searchsorted(self.edges, np.asarray(scores, float), side="right")
        return np.asarray(self.values)[bins]


#: Kinds of curves by their name; BOUNDED is the one that is used where nobody chose.
BOUNDED = "bounded"
CURVES: dict[str, type[Any]] = {
    BOUNDED: Bounded,
    "platt": Platt,
    "isotonic": Isotonic,
    "histogram": Histogram,
}


def record(curve: Curve) -> dict[str, Any]:
    """Return a curve as JSON can hold it."""
    name = next(name for name, kind in CURVES.items() if type(curve) is kind)
    return {"curve": name, **asdict(curve)}  # type: ignore[call-overload]


def from_record(entry: Mapping[str, Any]) -> Curve:
    """Return the curve of a record."""
    numbers = dict(entry)
    found: Curve = CURVES[numbers.pop("curve")](**numbers)
    return found
