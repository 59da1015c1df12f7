"""Curves fitted to the scores of labelled pictures; `targets` keeps them inside 0 and 1."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from train.calibration.bounded import fit_bounded
from train.calibration.curves import BOUNDED, Curve, Histogram, Isotonic, from_record, record
from train.calibration.platt import fit_platt
from train.calibration.targets import checked, targets

#: Bins of a histogram at most, and pictures in one at least.
BINS, LEAST = 10, 5


@dataclass(frozen=True)
class Calibration:
    """A calibration as a model carries it.

    Attributes:
        chosen: name of the curve that speaks.
        curves: all curves by name, fitted to the same pictures, so that they can be compared.
        entry: where it comes from, JSON-able: dataset, split, images, good.
    """

    chosen: str
    curves: Mapping[str, Curve]
    entry: Mapping[str, Any]

    def probability(self, scores: np.ndarray | float) -> np.ndarray:
        """Return, for scores of any shape, the probability that a picture is defective."""
        return self.curves[self.chosen].probability(scores)

    def record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        curves = {name: record(curve) for name, curve in self.curves.items()}
        return {"chosen": self.chosen, "curves": curves, **self.entry}

    @classmethod
    def from_record(cls, entry: Mapping[str, Any]) -> Calibration | None:
        """Return the calibration of a record; None of an empty one."""
        if not entry:
            return None
        rest = {key: value for key, value in entry.items() if key not in ("chosen", "curves")}
        curves = {name: from_record(curve) for name, curve in entry["curves"].items()}
        return cls(entry["chosen"], curves, rest)


def fit(scores: np.ndarray, defective: np.ndarray, method: str = BOUNDED) -> Curve:
    """Return the curve of a kind.

    Args:
        scores: (N,) of pictures, higher is more anomalous.
        defective: (N,) bool, what the pictures are.
        method: a name of `CURVES`.

    Raises:
        InputError: all pictures are of one class, or a score is not finite.
    """
    values, labels = checked(scores, defective)
    return _FITS[method](values, labels)


def fit_all(scores: np.ndarray, defective: np.ndarray) -> dict[str, Curve]:
    """Return the curve of every kind; otherwise as `fit`."""
    values, labels = checked(scores, defective)
    return {name: fit_curve(values, labels) for name, fit_curve in _FITS.items()}


def fit_isotonic(scores: np.ndarray, defective: np.ndarray) -> Isotonic:
    """Return scikit-learn's isotonic regression on Platt's targets."""
    from sklearn.isotonic import IsotonicRegression

    found = IsotonicRegression(out_of_bounds="clip").fit(scores, targets(defective))
    return Isotonic(found.X_thresholds_.tolist(), found.y_thresholds_.tolist())


def fit_histogram(scores: np.ndarray, defective: np.ndarray) -> Histogram:
    """Return bins of about as many pictures each, scikit-learn's, with the mean of Platt's targets.

    The mean is what makes the squared loss within a bin least.
    """
    from sklearn.preprocessing import KBinsDiscretizer

    edges = np.empty(0)
    count = min(BINS, len(scores) // LEAST)
    if count > 1 and scores.min() < scores.max():
        with warnings.catch_warnings():
            # Bins of one score are put together, which is what is wanted.
            warnings.simplefilter("ignore")
            bins = KBinsDiscretizer(count, encode="ordinal", strategy="quantile", subsample=None)
            edges = bins.fit(scores[:, None]).bin_edges_[0][1:-1]
    place = np.searchsorted(edges, scores, side="right")
    filled = np.unique(place)
    # An edge below which nothing lies is none.
    edges = edges[filled[1:] - 1]
    wanted = targets(defective)
    return Histogram(edges.tolist(), [float(wanted[place == bin].mean()) for bin in filled])


_FITS: dict[str, Any] = {
    BOUNDED: fit_bounded,
    "platt": fit_platt,
    "isotonic": fit_isotonic,
    "histogram": fit_histogram,
}
