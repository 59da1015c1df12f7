"""Conformal p-values against counting, and the promise kept over many draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stainless.errors import InputError
from train.verdicts import conformal
from train.verdicts.aggregation import worst_of_each

numbers = st.one_of(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), st.floats(-1e6, 1e6, width=32))
scores = st.lists(numbers, min_size=1, max_size=40).flatmap(
    lambda values: st.sampled_from([np.float32, np.float64]).map(
        lambda kind: np.array(values, kind)
    )
)
levels = st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.9])


@settings(max_examples=100, deadline=None)
@given(scores, scores)
def test_a_p_value_counts_what_is_at_or_above(calibration, new):
    expected = [(1 + sum(c >= s for c in calibration)) / (len(calibration) + 1) for s in new]
    np.testing.assert_allclose(conformal.p_values(calibration, new), expected)
    # Where nothing but numpy is installed.
    np.testing.assert_array_equal(
        conformal.counted(calibration, new), conformal.p_values(calibration, new)
    )


@settings(max_examples=150, deadline=None)
@given(scores, levels)
def test_the_threshold_is_the_smallest_that_keeps_the_level(calibration, level):
    if len(calibration) < conformal.needed(level):
        with pytest.raises(InputError, match=f"needs {conformal.needed(level)} good"):
            conformal.threshold(calibration, level)
        return
    value = np.asarray(conformal.threshold(calibration, level), calibration.dtype)
    below = np.nextafter(value, np.asarray(-np.inf, calibration.dtype))
    at, under = conformal.p_values(calibration, np.array([value, below]))
    assert at <= level + 1e-12 < under + 1e-12


@pytest.mark.parametrize(
    ("level", "count"), [(0.05, 19), (0.01, 99), (0.1, 9), (0.3, 3), (0.5, 1), (0.001, 999)]
)
def test_how_many_are_needed(level, count):
    assert conformal.needed(level) == count
    enough = np.arange(float(count))
    assert conformal.threshold(enough, level) == np.nextafter(count - 1.0, np.inf)
    if count > 1:
        with pytest.raises(InputError, match=f"needs {count} good"):
            conformal.threshold(enough[1:], level)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, float("nan")])
def test_a_level_that_is_none(level):
    with pytest.raises(InputError, match="expected between 0 and 1"):
        conformal.needed(level)


def pictures(rng, groups, each):
    """Scores of groups whose pictures resemble each other, (groups, each)."""
    return rng.gamma(3.0, size=(groups, 1)) + rng.normal(0.0, 0.2, (groups, each))


@pytest.mark.parametrize("level", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("worst", [False, True], ids=["picture", "product"])
def test_the_promise_is_kept_and_not_by_flagging_nothing(level, worst):
    # By theory the mean share lies between level - 1 / (n + 1) and level.
    n, each, draws = 39, 4, 200
    shares = []
    for draw in range(draws):
        rng = np.random.default_rng([draw, int(worst)])
        known, new = pictures(rng, n, each), pictures(rng, 200, each)
        groups = np.repeat(np.arange(n).astype(str), each)
        units = (
            worst_of_each(known.ravel(), groups)
            if worst
            else conformal.one_of_each(known.ravel(), groups, rng)
        )
        assert len(units) == n
        flagged = new >= conformal.threshold(units, level)
        shares.append((flagged.any(axis=1) if worst else flagged).mean())
    error = np.std(shares) / np.sqrt(draws)
    assert level - 1 / (n + 1) - 3 * error <= np.mean(shares) <= level + 3 * error


def test_groups_taken_for_single_pictures_break_the_promise():
    # Twenty pictures of two parts are no nineteen independent ones.
    level, shares = 0.05, []
    for draw in range(200):
        rng = np.random.default_rng(draw)
        known, new = pictures(rng, 2, 10), pictures(rng, 200, 1)
        shares.append((new >= conformal.threshold(known.ravel(), level)).mean())
    assert np.mean(shares) > 4 * level


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), numbers), min_size=1, max_size=20))
def test_each_group_counts_once(pairs):
    groups, values = np.array([g for g, _ in pairs]), np.array([v for _, v in pairs])
    worst = worst_of_each(values, groups)
    drawn = conformal.one_of_each(values, groups, np.random.default_rng(1))
    for place, name in enumerate(np.unique(groups)):
        own = values[groups == name]
        assert worst[place] == own.max()
        assert drawn[place] in own


def test_drift_is_told_where_there_is_one_and_nowhere_else():
    false = missed = 0
    for draw in range(60):
        rng = np.random.default_rng(draw)
        known = rng.gamma(3.0, size=300)
        limit = conformal.threshold(known, 0.05)
        false += conformal.drift(known, rng.gamma(3.0, size=200), limit).told
        moved = conformal.drift(known, rng.gamma(3.0, size=200) * 1.6, limit)
        missed += not moved.told
        assert moved.shift < 0 or not moved.told
    assert false <= 1
    assert missed <= 12


def test_a_few_pictures_tell_no_drift():
    known = np.arange(100.0)
    few = np.full(conformal.FEWEST - 1, 94.0)
    assert not conformal.drift(known, few, 98.5).told
    assert conformal.drift(known, np.full(conformal.FEWEST, 94.0), 98.5).told
    assert not conformal.drift(known, np.full(50, 1e9), 98.5).told


def test_where_hardly_any_picture_passes_the_check_says_that_it_cannot_tell():
    known = np.arange(100.0)

    def caution(scores):
        check = conformal.DriftCheck({"value": 98.5, "calibration": known.tolist()})
        for score in scores:
            check.p_value(score)
        return check.caution()

    passing, flagged = list(np.linspace(1, 98, conformal.FEWEST)), [1e9] * 30
    assert caution(passing + flagged) is None
    assert "19 of 49 pictures passed" in caution(passing[1:] + flagged)
    # Of a few pictures nothing can be expected.
    assert caution(flagged[: conformal.FEWEST - 1]) is None
