"""The hit/miss model against brute force, and its bounds over many simulated experiments."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from train.pod.hit_miss import Curve, NoCurve, fit, log_likelihood

#: One-sided at 95 %: the 90 % quantile of chi-square with one degree of freedom.
FALL = 2.7055

TRUE = Curve(intercept=-2.0, slope=2.5)
LIMITS = (0.4, 9.0)


def drawn(seed, count, curve=TRUE):
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(*np.log(LIMITS), count))
    return sizes, rng.random(count) < curve.at(sizes)


@given(st.integers(0, 10_000), st.integers(30, 60))
@settings(max_examples=5, deadline=None)
def test_the_curve_and_its_bound_are_those_of_a_grid_of_likelihoods(seed, count):
    sizes, hits = drawn(seed, count)
    try:
        found = fit(sizes, hits)
    except NoCurve:
        return
    # A curve is its a90 and its slope: at each a90 the best of all slopes.
    best = found.curve.size(0.9)
    a90 = best * np.exp(np.linspace(-0.5, 2, 251))
    slopes = np.geomspace(found.curve.slope / 10, found.curve.slope * 10, 201)
    slope, at = np.meshgrid(slopes, a90)
    parameters = np.stack([logit(0.9) - slope * np.log(at), slope], axis=-1)
    design = np.stack([np.ones(count), np.log(sizes)], axis=1)
    profile = log_likelihood(parameters, design, hits).max(axis=1)
    top = log_likelihood(np.array([found.curve.intercept, found.curve.slope]), design, hits)
    assert profile.max() <= top + 1e-9
    assert a90[profile.argmax()] == pytest.approx(best, rel=0.02)
    upper = found.upper_size(0.9)
    inside = a90[2 * (top - profile) <= FALL]
    if upper < a90[-1]:
        assert upper == pytest.approx(inside.max(), rel=0.015)
    else:
        assert inside.max() >= 0.99 * a90[-1]


def test_bounds_hold_the_curve_between_them():
    sizes, hits = drawn(1, 200)
    found = fit(sizes, hits)
    grid = np.geomspace(*LIMITS, 30)
    lower, upper = found.bounds(grid)
    assert (lower < found.curve.at(grid)).all() and (found.curve.at(grid) < upper).all()
    # The lower bound reaches 90 % where a90/95 is.
    at = found.bounds(np.array([found.upper_size(0.9)]))[0][0]
    assert at == pytest.approx(0.9, abs=1e-4)
    assert found.curve.size(0.9) < found.wald_size(0.9) < found.upper_size(0.9) * 1.1


def test_the_unit_of_size_does_not_count():
    sizes, hits = drawn(2, 150)
    found, scaled = fit(sizes, hits), fit(sizes * 1000, hits)
    assert scaled.curve.size(0.9) == pytest.approx(1000 * found.curve.size(0.9), rel=1e-6)
    assert scaled.upper_size(0.9) == pytest.approx(1000 * found.upper_size(0.9), rel=1e-4)
    assert scaled.wald_size(0.9) == pytest.approx(1000 * found.wald_size(0.9), rel=1e-6)


def test_the_bound_holds_in_95_of_100_experiments():
    a90 = TRUE.size(0.9)
    bounds = [fit(*drawn(seed, 100)).upper_size(0.9) for seed in range(200)]
    share = np.mean([bound >= a90 for bound in bounds])
    # Three standard deviations of the share around 0.95.
    assert abs(share - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 200)
    assert np.median(bounds) < 1.8 * a90


def test_plates_that_resemble_themselves_widen_the_bound_by_plate():
    rng = np.random.default_rng(5)
    plates = np.repeat(np.arange(40), 8)
    sizes = np.exp(rng.uniform(*np.log(LIMITS), len(plates)))
    shift = 1.5 * rng.standard_normal(40)[plates]
    hits = rng.random(len(plates)) < expit(-2 + shift + 2.5 * np.log(sizes))
    found = fit(sizes, hits, plates)
    assert found.wald_size(0.9, by_plate=True) > 1.05 * found.wald_size(0.9)
    alone = fit(sizes, hits)
    assert alone.wald_size(0.9, by_plate=True) == pytest.approx(alone.wald_size(0.9), rel=0.05)


def test_goodness_tells_a_curve_of_another_form():
    good = [fit(*drawn(seed, 200)).goodness for seed in range(25)]
    assert 0.3 < np.mean(good) < 0.7
    rng = np.random.default_rng(3)
    sizes = np.exp(rng.uniform(*np.log(LIMITS), 800))
    # Never more than six of ten are found.
    hits = rng.random(800) < 0.6 * expit(-9 + 9 * np.log(sizes))
    assert fit(sizes, hits).goodness < 0.01
    assert fit(*drawn(1, 17)).goodness is None


@pytest.mark.parametrize(
    ("hits", "line"),
    [
        ("000000000000", "0 of 12 hit, expected at least 3: larger sizes tell"),
        ("111111111111", "0 of 12 missed, expected at least 3: smaller sizes tell"),
        ("000000000011", "2 of 12 hit"),
        ("000000111111", "do not overlap: all 6 up to 6 missed, all 6 from 7 hit"),
        ("111111000000", "hits do not grow with size"),
        ("111011010100", "hits do not grow with size"),
    ],
)
def test_what_has_no_curve_says_why(hits, line):
    with pytest.raises(NoCurve, match=line):
        fit(np.arange(1.0, 13.0), np.array([hit == "1" for hit in hits]))


def test_a_slope_that_may_be_none_has_no_bound():
    hits = np.array([hit == "1" for hit in "010010110101"])
    assert fit(np.arange(1.0, 13.0), hits).upper_size(0.9) == math.inf
