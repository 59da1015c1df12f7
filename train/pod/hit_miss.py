"""The hit/miss model: probability of detection as a logistic function of the logarithm of size.

    POD(a) = 1 / (1 + exp(−(β₀ + β₁ ln a)))

By maximum likelihood. Bounds are those of the likelihood ratio: what lies on one side of every
curve that the data do not rule out, one-sided at 95 %. Source: MIL-HDBK-1823A (2009),
Nondestructive Evaluation System Reliability Assessment, appendix G; for goodness Hosmer and
Lemeshow, Goodness of fit tests for the multiple logistic regression model (1980).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import chi2, norm

#: Of every bound, on the side where it is.
CONFIDENCE = 0.95

#: With fewer hits or fewer misses there is no curve.
FEWEST = 3

#: Directions in which the outline of the plausible curves is sought.
_DIRECTIONS = 120

#: Most groups of similar probability that goodness is told by, and trials in each.
_GROUPS, _IN_GROUP = 10, 6


class NoCurve(ValueError):
    """The hits and misses allow no curve; the message says why, in a line."""


@dataclass(frozen=True)
class Curve:
    """One curve: β₀ and β₁ for sizes in the unit of their key."""

    intercept: float
    slope: float

    def at(self, sizes: np.ndarray) -> np.ndarray:
        """Return the probability of detection at (N,) sizes."""
        found: np.ndarray = expit(self.intercept + self.slope * np.log(sizes))
        return found

    def size(self, pod: float) -> float:
        """Return the size that is found with a probability."""
        return math.exp((logit(pod) - self.intercept) / self.slope)


@dataclass(frozen=True)
class Fit:
    """A fitted curve and what the data say of it.

    Attributes:
        curve: the most likely one.
        covariance: (2, 2) of β₀ and β₁.
        by_plate: (2, 2) the same where the trials of a plate may resemble one another (sandwich
            estimator over plates).
        outline: (K, 2) β₀ and β₁ of the curves at the edge of what the data do not rule out.
        trials, hits: how many.
        goodness: probability of a deviation as large as the data's, were the curve true (Hosmer and
            Lemeshow); None for too few trials.
    """

    curve: Curve
    covariance: np.ndarray
    by_plate: np.ndarray
    outline: np.ndarray
    trials: int
    hits: int
    goodness: float | None

    def upper_size(self, pod: float) -> float:
        """Return the upper bound of the size that is found with a probability, such as a90/95.

        Infinite where the data do not rule out that detection does not grow with size.
        """
        if self.outline[:, 1].min() <= 0:
            return math.inf
        log_sizes = (logit(pod) - self.outline[:, 0]) / self.outline[:, 1]
        return float(np.exp(log_sizes.max()))

    def bounds(self, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and the upper bound of POD at (N,) sizes, each one-sided."""
        ends = expit(self.outline[:, :1] + self.outline[:, 1:] * np.log(sizes))
        return ends.min(axis=0), ends.max(axis=0)

    def wald_size(self, pod: float, by_plate: bool = False) -> float:
        """Return the upper bound that a normal approximation of ln a gives, for comparison.

        Args:
            pod: probability of detection.
            by_plate: let the trials of a plate resemble one another.
        """
        covariance = self.by_plate if by_plate else self.covariance
        at = math.log(self.curve.size(pod))
        gradient = np.array([1.0, at])
        error = math.sqrt(gradient @ covariance @ gradient) / self.curve.slope
        return math.exp(at + float(norm.ppf(CONFIDENCE)) * error)


def fit(sizes: np.ndarray, hits: np.ndarray, plates: np.ndarray | None = None) -> Fit:
    """Fit the model.

    Args:
        sizes: (N,) above 0.
        hits: (N,) bool.
        plates: (N,) which plate each flaw is on; None for one of its own each.

    Raises:
        NoCurve: too few hits or misses, hits and misses that do not overlap, or hits that do not
            grow with size.
    """
    count, found = len(hits), int(hits.sum())
    _check(sizes, hits)
    logs = np.log(sizes)
    middle, spread = float(logs.mean()), float(logs.std())
    # Centred and scaled, so that both parameters are of order one.
    design = np.stack([np.ones(count), (logs - middle) / spread], axis=1)
    best = _most_likely(design, hits)
    if best[1] <= 0:
        raise NoCurve(f"hits do not grow with size: {found} of {count} hit")
    p = expit(design @ best)
    covariance = np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design)
    scores = design * (hits - p)[:, None]
    robust = covariance @ _by_plate(scores, plates) @ covariance
    # From the scaled parameters back to β₀ and β₁.
    back = np.array([[1.0, -middle / spread], [0.0, 1 / spread]])
    return Fit(
        Curve(*(back @ best)),
        back @ covariance @ back.T,
        back @ robust @ back.T,
        _outline(design, hits, best, covariance) @ back.T,
        count,
        found,
        _goodness(p, hits),
    )


def _check(sizes: np.ndarray, hits: np.ndarray) -> None:
    """Refuse what has no most likely curve."""
    count, found = len(hits), int(hits.sum())
    if min(found, count - found) < FEWEST:
        if found < FEWEST:
            kind, other = "hit", "larger"
        else:
            kind, other, found = "missed", "smaller", count - found
        raise NoCurve(f"{found} of {count} {kind}, expected at least {FEWEST}: {other} sizes tell")
    missed_to, hit_from = sizes[~hits].max(), sizes[hits].min()
    if missed_to <= hit_from:
        raise NoCurve(
            f"hits and misses do not overlap: all {count - found} up to {missed_to:.3g} missed, "
            f"all {found} from {hit_from:.3g} hit; any steep curve between fits"
        )
    if sizes[hits].max() <= sizes[~hits].min():
        raise NoCurve("hits do not grow with size: every hit is smaller than every miss")


def log_likelihood(parameters: np.ndarray, design: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Return the log-likelihood of (..., 2) parameters, of shape (...)."""
    predictor = parameters @ design.T
    found: np.ndarray = (hits * predictor - np.logaddexp(0, predictor)).sum(axis=-1)
    return found


def _most_likely(design: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Return the parameters of the highest likelihood."""

    def gradient(parameters: np.ndarray) -> np.ndarray:
        slopes: np.ndarray = design.T @ (expit(design @ parameters) - hits)
        return slopes

    def curvature(parameters: np.ndarray) -> np.ndarray:
        p = expit(design @ parameters)
        second: np.ndarray = (design * (p * (1 - p))[:, None]).T @ design
        return second

    start = np.array([logit(hits.mean()), 0.0])
    found = minimize(
        lambda parameters: -log_likelihood(parameters, design, hits),
        start,
        jac=gradient,
        hess=curvature,
        method="trust-exact",
        options={"gtol": 1e-8},
    )
    best: np.ndarray = found.x
    return best


def _by_plate(scores: np.ndarray, plates: np.ndarray | None) -> np.ndarray:
    """Return the sum over plates of the outer products of their scores, (2, 2)."""
    names = np.arange(len(scores)) if plates is None else np.unique(plates, return_inverse=True)[1]
    count = int(names.max()) + 1
    sums = np.zeros((count, 2))
    np.add.at(sums, names, scores)
    outer: np.ndarray = sums.T @ sums * (count / max(count - 1, 1))
    return outer


def _outline(
    design: np.ndarray, hits: np.ndarray, best: np.ndarray, covariance: np.ndarray
) -> np.ndarray:
    """Return where twice the log-likelihood has fallen by the quantile of chi-square, (K, 2).

    The profile likelihood of any one quantity leaves this region at its bounds. One-sided at 95 %
    is two-sided at 90 %.
    """
    limit = float(chi2.ppf(2 * CONFIDENCE - 1, 1))
    angles = np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ np.linalg.cholesky(covariance).T
    top = float(log_likelihood(best, design, hits))
    start, along = design @ best, steps @ design.T
    radii = np.full(_DIRECTIONS, math.sqrt(limit))
    for _ in range(50):
        predictor = start + radii[:, None] * along
        fallen = 2 * (top - (hits * predictor - np.logaddexp(0, predictor)).sum(axis=1))
        rise = 2 * ((expit(predictor) - hits) * along).sum(axis=1)
        # The fall is convex along a ray: Newton's steps from outside never pass the edge, and one
        # from inside ends outside.
        radii -= (fallen - limit) / rise
        if np.abs(fallen - limit).max() < 1e-7:
            break
    return np.asarray(best + radii[:, None] * steps)


def _goodness(p: np.ndarray, hits: np.ndarray) -> float | None:
    """Return the probability of a worse fit by groups of similar probability."""
    groups = min(_GROUPS, len(p) // _IN_GROUP)
    if groups < 3:
        return None
    statistic = 0.0
    for members in np.array_split(np.argsort(p, kind="stable"), groups):
        expected, count = p[members].sum(), len(members)
        variance = expected * (1 - expected / count)
        statistic += (hits[members].sum() - expected) ** 2 / max(variance, 1e-12)
    return float(chi2.sf(statistic, groups - 2))
