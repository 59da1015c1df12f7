"""Platt scaling: the sigmoid of highest likelihood of Platt's targets.

Sources: Platt, 1999; Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, 4.1.
"""

from __future__ import annotations

import numpy as np

from train.calibration.curves import Platt, sigmoid
from train.calibration.targets import targets

#: Of the gradient of a loss where a search ends.
PRECISION = {"gtol": 1e-7}


def standardised(scores: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return scores of mean 0 and spread 1, with the mean and the spread that they had."""
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    return (scores - centre) / spread, centre, spread


def raw(slope: float, intercept: float, centre: float, spread: float) -> tuple[float, float]:
    """Return slope and intercept on scores for those on standardised scores."""
    return slope / spread, intercept - slope * centre / spread


def negative_log_likelihood(
    parameters: np.ndarray, scores: np.ndarray, wanted: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the loss of slope and intercept, and its gradient.

    Args:
        parameters: (2,) slope and intercept.
        scores: (N,).
        wanted: (N,) targets.
    """
    logits = parameters[0] * scores + parameters[1]
    loss = float(np.sum(np.logaddexp(0, logits) - wanted * logits))
    off = sigmoid(logits) - wanted
    return loss, np.array([np.dot(off, scores), off.sum()])


def fit_standardised(scores: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return (2,) slope, at least 0, and intercept of the least loss; the loss is convex."""
    from scipy.optimize import minimize

    share = wanted.mean()
    flat = np.array([0.0, np.log(share / (1 - share))])
    best: np.ndarray = minimize(
        negative_log_likelihood, flat, (scores, wanted), "BFGS", jac=True, options=PRECISION
    ).x
    # Where scores are upside down the least loss of those that do not fall is that of the share.
    return best if best[0] > 0 else flat


def fit_platt(scores: np.ndarray, defective: np.ndarray) -> Platt:
    """Return the curve.

    Args:
        scores: (N,) finite.
        defective: (N,) bool, both classes.
    """
    values, centre, spread = standardised(scores)
    slope, intercept = fit_standardised(values, targets(defective))
    return Platt(*raw(float(slope), float(intercept), centre, spread))
