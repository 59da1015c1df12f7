"""Platt's smoothed targets, which every curve here is fitted to.

Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999, section 2.2: of N pictures
of a class that all look alike, the next one belongs to it with probability (N + 1) / (N + 2) where
nothing else is known (Laplace's rule of succession). So no curve says 0 or 1, however well the
classes are apart on a few pictures.
"""

from __future__ import annotations

import numpy as np

from stainless.errors import InputError


def ends(defective: np.ndarray) -> tuple[float, float]:
    """Return the target of a good picture and that of a defective one, (N,) bool being labels."""
    bad = int(np.count_nonzero(defective))
    return 1 / (len(defective) - bad + 2), (bad + 1) / (bad + 2)


def targets(defective: np.ndarray) -> np.ndarray:
    """Return (N,) float64, strictly between 0 and 1, of (N,) bool labels."""
    good, bad = ends(defective)
    return np.where(defective, bad, good)


def checked(scores: np.ndarray, defective: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scores as float64 and labels as bool, both (N,).

    Raises:
        InputError: all pictures are of one class, or a score is not finite.
    """
    values, labels = np.asarray(scores, float), np.asarray(defective, bool)
    if not np.isfinite(values).all():
        raise InputError("a calibration needs finite scores")
    if labels.all() or not labels.any():
        kind, other = ("defective", "good") if labels.any() else ("good", "defective")
        raise InputError(
            f"only {kind} pictures, expected {other} ones, too: a calibration needs both classes"
        )
    return values, labels


def cross_entropy(wanted: np.ndarray | float, found: np.ndarray | float) -> float:
    """Return the summed cross-entropy of probabilities, all strictly between 0 and 1."""
    return float(-np.sum(wanted * np.log(found) + (1 - wanted) * np.log1p(-found)))
