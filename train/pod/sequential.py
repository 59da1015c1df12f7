"""Which sizes tell most of a90: greedily, given the hits and misses so far.

Each next size is the one that lowers the variance of ln a90 most, averaged over curves that the
data do not rule out (c-optimal; Chaloner and Larntz, Optimal Bayesian design applied to logistic
regression experiments, 1989). A share of the sizes stays spread over the whole range, so that a
curve of another form shows.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from train.pod.hit_miss import NoCurve, fit

#: One size in so many is drawn from the whole range.
SPREAD_EVERY = 5

#: Plausible curves that are averaged over, beside the most likely one.
_CURVES = 12

#: Sizes to choose from.
_CANDIDATES = 256

#: Part of the range that is tried beyond the edge of hits or misses, where no curve can be fitted.
_BEYOND = 0.15


def spread(limits: tuple[float, float], count: int, rng: np.random.Generator) -> np.ndarray:
    """Return sizes that are evenly spread over a range of logarithms, one in each share of it."""
    low, high = np.log(limits)
    places = (rng.permutation(count) + rng.random(count)) / count
    return np.asarray(np.exp(low + (high - low) * places))


def next_sizes(
    sizes: np.ndarray,
    hits: np.ndarray,
    limits: tuple[float, float],
    count: int,
    rng: np.random.Generator,
    pod: float = 0.9,
) -> np.ndarray:
    """Return the sizes of the next flaws, (count,).

    Args:
        sizes: (N,) of the flaws so far.
        hits: (N,) bool, whether they were found.
        limits: the smallest and the largest size that may be tried.
        count: how many.
        rng: for what is spread, and for the choice among sizes that tell the same.
        pod: the probability of detection whose size is sought.
    """
    wide = len(range(0, count, SPREAD_EVERY))
    found = list(spread(limits, wide, rng))
    try:
        fitted = fit(sizes, hits)
    except NoCurve:
        narrowed = _where_it_turns(sizes, hits, limits)
        return np.concatenate([found, spread(narrowed, count - wide, rng)])
    curves = np.array([[fitted.curve.intercept, fitted.curve.slope], *_some(fitted.outline)])
    candidates = np.sort(spread(limits, _CANDIDATES, rng))
    known = _information(np.concatenate([sizes, found]), curves).sum(axis=1)
    each = _information(candidates, curves)
    weight = each[..., 0, 0]
    regressors = np.stack([np.ones(_CANDIDATES), np.log(candidates)], axis=1)
    wanted = np.stack([np.ones(len(curves)), (logit(pod) - curves[:, 0]) / curves[:, 1]], axis=1)
    for _ in range(count - wide):
        inverse = np.linalg.inv(known)
        towards = np.einsum("ki,kij->kj", wanted, inverse)
        now = np.einsum("kj,kj->k", towards, wanted)
        across = np.einsum("kj,nj->kn", towards, regressors)
        own = np.einsum("ni,kij,nj->kn", regressors, inverse, regressors)
        after = now[:, None] - weight * across**2 / (1 + weight * own)
        best = int(np.log(after / now[:, None]).mean(axis=0).argmin())
        found.append(candidates[best])
        known = known + each[:, best]
    return np.array(found)


def _some(outline: np.ndarray) -> np.ndarray:
    """Return a few of the plausible curves that rise."""
    rising = outline[outline[:, 1] > 0]
    return rising[:: max(1, len(rising) // _CURVES)]


def _information(sizes: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Return what a flaw of each size tells of β under each curve, (K, N, 2, 2)."""
    regressors = np.stack([np.ones(len(sizes)), np.log(sizes)], axis=1)
    p = expit(curves @ regressors.T)
    return np.asarray(np.einsum("kn,ni,nj->knij", p * (1 - p), regressors, regressors))


def _where_it_turns(
    sizes: np.ndarray, hits: np.ndarray, limits: tuple[float, float]
) -> tuple[float, float]:
    """Return the range in which misses turn to hits, as far as can be told without a curve."""
    low, high = np.log(limits)
    logs, beyond = np.log(sizes), _BEYOND * (high - low)
    edges = [
        logs[~hits].max(initial=low) if not hits.all() else low,
        logs[hits].min(initial=high) if hits.any() else high,
    ]
    start, end = max(low, min(edges) - beyond), min(high, max(edges) + beyond)
    return float(np.exp(start)), float(np.exp(end))
