"""The array noise against the package it stands in for, and what it must refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from noise import pnoise2

from impurities.perlin import PERIOD, perlin2

# A few units in the last place of float32 intermediate sums, which reach 2 in magnitude.
FLOAT32 = 2e-6

finite = st.floats(allow_nan=False, allow_infinity=False)


def exact_in_float32(rng, count, low, high):
    return rng.uniform(low, high, count).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize(("low", "high"), [(0, 256), (-1000, 1000)])
def test_equals_the_package(low, high):
    rng = np.random.default_rng(1)
    x, y = exact_in_float32(rng, 20_000, low, high), exact_in_float32(rng, 20_000, low, high)
    expected = [pnoise2(a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(perlin2(x, y), expected, rtol=0, atol=FLOAT32)


def test_equals_the_package_in_every_cell():
    i, j = np.meshgrid(np.arange(PERIOD), np.arange(PERIOD))
    x, y = i.ravel() + 0.375, j.ravel() + 0.8125
    expected = [pnoise2(a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(perlin2(x, y), expected, rtol=0, atol=FLOAT32)


def test_stays_in_its_range_and_uses_it():
    rng = np.random.default_rng(2)
    values = perlin2(rng.uniform(0, PERIOD, 200_000), rng.uniform(0, PERIOD, 200_000))
    assert -1 <= values.min() < -0.7
    assert 0.7 < values.max() <= 1


@pytest.mark.filterwarnings("error")
@given(finite, finite)
def test_any_finite_point_has_a_value(x, y):
    assert -1 <= perlin2(x, y) <= 1


@given(
    st.floats(-1e4, 1e4),
    st.floats(-1e4, 1e4),
    st.integers(-1000, 1000),
    st.integers(-1000, 1000),
)
def test_repeats_after_its_period(x, y, i, j):
    moved = perlin2(x + PERIOD * i, y + PERIOD * j)
    assert moved == pytest.approx(float(perlin2(x, y)), abs=1e-8)


def test_is_zero_on_the_lattice():
    points = np.arange(-300.0, 300.0)
    assert not perlin2(points[None, :], points[:, None]).any()


def test_a_value_does_not_depend_on_the_shape_it_is_asked_in():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-50, 50, 97), rng.uniform(-50, 50, 61)
    grid = perlin2(x[None, :], y[:, None])
    full_x, full_y = np.meshgrid(x, y)
    assert np.array_equal(grid, perlin2(full_x, full_y))
    assert np.array_equal(grid.ravel(), [perlin2(a, b) for b in y for a in x])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_refuses_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="x must be finite"):
        perlin2(np.array([0.0, bad]), 0.0)
    with pytest.raises(ValueError, match="y must be finite"):
        perlin2(0.0, bad)
