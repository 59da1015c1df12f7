"""Sizes that tell most: against sizes that are spread, and where there is no curve yet."""

import numpy as np
import pytest

from train.pod.hit_miss import Curve
from train.pod.sequential import next_sizes, spread
from train.pod.simulation import experiment

LIMITS = (0.3, 12.0)
TRUE = Curve(intercept=-4.0, slope=4.0)


def test_they_tell_more_than_spread_ones_and_the_bound_still_holds():
    a90, error, holds, excess = TRUE.size(0.9), {}, {}, {}
    for sequential in (False, True):
        rngs = [np.random.default_rng(seed) for seed in range(25)]
        found = np.array([experiment(TRUE, LIMITS, 120, 30, sequential, rng) for rng in rngs])
        error[sequential] = np.log(found[:, 0]).std()
        holds[sequential] = (found[:, 1] >= a90).mean()
        excess[sequential] = np.median(found[:, 1] / found[:, 0]) - 1
    assert error[True] < 0.85 * error[False]
    assert excess[True] < 0.2 and excess[True] < excess[False]
    assert min(holds.values()) >= 0.8


def test_they_are_where_the_curve_is_steep_but_for_some():
    rng = np.random.default_rng(1)
    sizes = spread(LIMITS, 60, rng)
    hits = rng.random(60) < TRUE.at(sizes)
    more = next_sizes(sizes, hits, LIMITS, 50, rng)
    assert len(more) == 50
    steep = (more > TRUE.size(0.1)) & (more < TRUE.size(0.99))
    assert 0.6 < steep.mean() < 0.98
    assert more.min() < 1 and more.max() > 6


@pytest.mark.parametrize(
    ("hits", "inside"),
    [(lambda s: s > 3, (1.5, 6.0)), (lambda s: s > 99, (6.0, 12.0)), (lambda s: s > 0, (0.3, 0.6))],
)
def test_without_a_curve_they_are_where_misses_turn_to_hits(hits, inside):
    rng = np.random.default_rng(2)
    sizes = spread(LIMITS, 40, rng)
    more = next_sizes(sizes, hits(sizes), LIMITS, 40, rng)
    low, high = inside
    assert ((more >= low) & (more <= high)).sum() >= 32
    assert ((more >= LIMITS[0]) & (more <= LIMITS[1])).all()


def test_the_same_generator_gives_the_same():
    sizes = np.geomspace(0.4, 10, 30)
    hits = np.random.default_rng(4).random(30) < TRUE.at(sizes)
    one, other = (next_sizes(sizes, hits, LIMITS, 9, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
