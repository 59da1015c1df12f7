"""The generalised bounded sigmoid: low + (high - low) / (1 + exp(-(slope * score + intercept))).

Source: Saghir, "Ensemble Methods for Visual Anomaly Detection in Manufacturing Settings", 2024,
section 4.3.4: where a detector separates the classes perfectly, the sigmoid of highest likelihood
is a step, which says 0 or 100 % of everything; so the sigmoid gets bounds. The source leaves the
bounds and their fit open. Here all four numbers are fitted together, and Platt's smoothed targets
regularise all of them. What is made least is the sum of the cross-entropies of

* each picture's target and the curve: the likelihood, as in Platt scaling;
* the target of a good picture and `low`, that of a defective one and `high`: as if one more picture
  of each class lay at the far ends. Neither bound can reach 0 or 1, or stay undetermined;
* each picture's target and the sigmoid without its bounds, weighted so that all pictures together
  count as two. A sigmoid that is a step would say 0 and 1, at an infinite loss; so the slope stays
  finite, and the curve rises through a gap between the classes, however wide.
"""

from __future__ import annotations

import numpy as np

from train.calibration.curves import Bounded, sigmoid
from train.calibration.platt import (
    PRECISION,
    fit_standardised,
    negative_log_likelihood,
    raw,
    standardised,
)
from train.calibration.targets import cross_entropy, ends, targets

#: How many pictures all of them count as where they keep the slope finite.
WEIGHT = 2.0

#: Ends of the first two parameters; beyond them no number tells the bounds from 0 or 1.
REACH = (-16.0, 16.0)

#: Grid that a search starts from, on standardised scores, and how many of its points.
SLOPES, MIDDLES, BEST = (0.5, 2.0, 8.0, 32.0), 9, 3


def bounds(parameters: np.ndarray) -> tuple[float, float]:
    """Return low and high, 0 < low < high < 1, of the first two of the unbounded parameters."""
    low, rest = sigmoid(np.clip(parameters[:2], *REACH))
    return float(low), float(low + (1 - low) * rest)


def objective(
    parameters: np.ndarray, scores: np.ndarray, wanted: np.ndarray, limits: tuple[float, float]
) -> tuple[float, np.ndarray]:
    """Return what is made least, and its gradient.

    Args:
        parameters: (4,): two that `bounds` takes, logarithm of the slope, intercept.
        scores: (N,).
        wanted: (N,) targets.
        limits: the targets of a good and of a defective picture.
    """
    low, high = bounds(parameters)
    rest = (high - low) / (1 - low)
    slope, intercept = _line(parameters)
    unit = sigmoid(slope * scores + intercept)
    found = low + (high - low) * unit
    steep, steeper = negative_log_likelihood(np.array([slope, intercept]), scores, wanted)
    weight = WEIGHT / len(scores)
    loss = cross_entropy(wanted, found) + weight * steep
    loss += cross_entropy(limits[0], low) + cross_entropy(limits[1], high)
    off = (found - wanted) / (found * (1 - found))
    rise = off * (high - low) * unit * (1 - unit)
    by_low = np.dot(off, 1 - unit) + (low - limits[0]) / (low * (1 - low))
    by_high = np.dot(off, unit) + (high - limits[1]) / (high * (1 - high))
    gradient = np.array(
        [
            low * (1 - low) * (by_low + (1 - rest) * by_high),
            (1 - low) * rest * (1 - rest) * by_high,
            slope * (np.dot(rise, scores) + weight * steeper[0]),
            rise.sum() + weight * steeper[1],
        ]
    )
    return float(loss), gradient


def fit_bounded(scores: np.ndarray, defective: np.ndarray) -> Bounded:
    """Return the curve.

    Args:
        scores: (N,) finite.
        defective: (N,) bool, both classes.
    """
    from scipy.optimize import minimize

    values, centre, spread = standardised(scores)
    rest = (values, targets(defective), ends(defective))
    found = [
        minimize(objective, start, rest, "BFGS", jac=True, options=PRECISION)
        for start in _starts(*rest)
    ]
    best = min(found, key=lambda each: each.fun).x
    return Bounded(*bounds(best), *raw(*_line(best), centre, spread))


def _starts(
    scores: np.ndarray, wanted: np.ndarray, limits: tuple[float, float]
) -> list[np.ndarray]:
    """Return the best few of a grid of parameters, and Platt's line: the loss is not convex.

    The bounds are the targets of the classes, or the mean targets of either side of the middle.
    """
    slope, intercept = fit_standardised(scores, wanted)
    found = [np.array([*_unbounded(*limits), np.log(max(slope, 0.1)), intercept])]
    for middle in np.unique(np.quantile(scores, np.linspace(0, 1, MIDDLES))):
        above = scores >= middle
        sides = [float(wanted[side].mean()) if side.any() else 0.0 for side in (~above, above)]
        pairs = [limits, *([(sides[0], sides[1])] if 0 < sides[0] < sides[1] else [])]
        for pair in pairs:
            found += [
                np.array([*_unbounded(*pair), np.log(steep), -steep * middle]) for steep in SLOPES
            ]
    losses = [objective(start, scores, wanted, limits)[0] for start in found]
    return [found[0], *(found[place] for place in np.argsort(losses, kind="stable")[:BEST])]


def _line(parameters: np.ndarray) -> tuple[float, float]:
    """Return slope and intercept."""
    return float(np.exp(min(parameters[2], 50.0))), float(parameters[3])


def _unbounded(low: float, high: float) -> tuple[float, float]:
    """Return the two parameters of which `bounds` returns low and high."""
    rest = (high - low) / (1 - low)
    return float(np.log(low / (1 - low))), float(np.log(rest / (1 - rest)))
