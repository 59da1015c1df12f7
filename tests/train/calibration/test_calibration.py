"""Calibration curves against likelihoods by brute force, and what holds for any scores."""

from __future__ import annotations

import itertools
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stainless.errors import InputError
from train.calibration import CURVES, Calibration, fit, fit_all, from_record, quality, record
from train.calibration.bounded import bounds, objective
from train.calibration.curves import Bounded
from train.calibration.diagram import reliability_svg
from train.calibration.targets import cross_entropy, ends, targets


@st.composite
def labelled(draw, separated=None):
    """Scores and labels of both classes, in any unit, apart or not."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    good, bad = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    unit, start = 10.0 ** draw(st.integers(-4, 4)), draw(st.sampled_from([0.0, -3.0, 1e3]))
    low, high = rng.standard_normal(good), rng.standard_normal(bad) * draw(st.floats(0.01, 3))
    if separated if separated is not None else draw(st.booleans()):
        high += low.max() - high.min() + draw(st.floats(0.01, 30))
    else:
        high += draw(st.floats(-2, 4))
    if draw(st.booleans()) and not separated:
        low, high = np.round(low), np.round(high)
    scores = start + unit * np.concatenate([low, high])
    return scores, np.repeat([False, True], [good, bad])


@settings(max_examples=60, deadline=None)
@given(labelled())
def test_every_curve_is_inside_0_and_1_and_all_but_the_histogram_rise(found):
    scores, defective = found
    reach = max(float(np.ptp(scores)), 1e-9)
    ladder = np.linspace(scores.min() - 3 * reach, scores.max() + 3 * reach, 301)
    for name, curve in fit_all(scores, defective).items():
        for at in (scores, ladder):
            values = curve.probability(at)
            assert values.shape == at.shape and (values >= 0).all() and (values <= 1).all()
            # Platt's own sigmoid reaches 0 and 1 far outside, as near as a number can.
            if name != "platt" or at is scores:
                assert (values > 0).all() and (values < 1).all()
        if name != "histogram":
            assert (np.diff(curve.probability(ladder)) >= 0).all()
        assert from_record(record(curve)) == curve
        assert float(curve.probability(scores[0])) == curve.probability(scores)[0]


@settings(max_examples=60, deadline=None)
@given(labelled(separated=True))
def test_between_separated_classes_the_bounded_sigmoid_rises_strictly(found):
    scores, defective = found
    curve = fit(scores, defective)
    low, high = scores[~defective].max(), scores[defective].min()
    inside = np.unique(np.linspace(low, high, 25))
    assert (np.diff(curve.probability(inside)) > 0).all()
    assert 0 < curve.low < curve.high < 1


def test_bounds_say_what_scores_cannot():
    """A tenth of the defective pictures look good, a twentieth of the good ones defective."""
    rng = np.random.default_rng(0)
    good, bad = rng.normal(0, 1, 1000), rng.normal(10, 1, 1000)
    good[:50] += 10
    bad[:100] -= 10
    curve = fit(np.concatenate([good, bad]), np.repeat([False, True], 1000))
    # Of those that look good, 100 of 1050 are defective; of the others, 50 of 950 are good.
    assert curve.low == pytest.approx(100 / 1050, abs=0.01)
    assert curve.high == pytest.approx(900 / 950, abs=0.01)
    assert -curve.intercept / curve.slope == pytest.approx(5, abs=1.5)


def test_few_pictures_allow_no_certainty():
    scores, defective = np.array([1.0, 1.1, 1.2, 9.0, 9.1, 9.2]), np.repeat([False, True], 3)
    curve = fit(scores, defective)
    good, bad = ends(defective)
    assert (good, bad) == (1 / 5, 4 / 5)
    assert good / 2 < curve.low <= good and bad <= curve.high < (bad + 1) / 2
    assert curve.probability(scores[:3]) == pytest.approx(good, abs=0.05)
    assert curve.probability(1e9) == pytest.approx(curve.high)


@settings(max_examples=15, deadline=None)
@given(labelled())
def test_platt_has_the_highest_likelihood(found):
    scores, defective = found
    curve, wanted = fit(scores, defective, "platt"), targets(defective)
    spread = float(scores.std()) or 1.0

    def loss(slope, middle, constant=0.0):
        logits = slope * (scores - middle) / spread + constant
        return float(np.sum(np.logaddexp(0, logits) - wanted * logits))

    logits = curve.slope * scores + curve.intercept
    best = float(np.sum(np.logaddexp(0, logits) - wanted * logits))
    middles = np.linspace(scores.min() - spread, scores.max() + spread, 31)
    for slope, middle in itertools.product(np.geomspace(0.05, 100, 30), middles):
        assert best <= loss(slope, middle) + 1e-6
    for constant in np.linspace(-6, 6, 41):
        assert best <= loss(0.0, 0.0, constant) + 1e-6


@settings(max_examples=30, deadline=None)
@given(labelled())
def test_the_bounded_sigmoid_has_the_least_loss(found):
    scores, defective = found
    wanted, limits = targets(defective), ends(defective)
    spread = float(scores.std()) or 1.0

    def loss(curve):
        unit = np.clip(Bounded(0, 1, curve.slope, curve.intercept).probability(scores), 1e-300, 1)
        logits = curve.slope * scores + curve.intercept
        return (
            cross_entropy(wanted, curve.probability(scores))
            + cross_entropy(limits[0], curve.low)
            + cross_entropy(limits[1], curve.high)
            + 2 / len(unit) * float(np.sum(np.logaddexp(0, logits) - wanted * logits))
        )

    best = loss(fit(scores, defective))
    middles = np.linspace(scores.min(), scores.max(), 9)
    for slope, middle in itertools.product(np.geomspace(0.2, 50, 9) / spread, middles):
        for low, high in itertools.product((0.02, 0.1, 0.3), (0.6, 0.9, 0.98)):
            assert best <= loss(Bounded(low, high, slope, -slope * middle)) + 1e-6


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.integers(0, 99))
def test_the_gradient_is_that_of_the_loss(parameters, seed):
    rng = np.random.default_rng(seed)
    scores, defective = rng.standard_normal(9), np.arange(9) % 2 == 1
    rest = (scores, targets(defective), ends(defective))
    at = np.array(parameters)
    gradient = objective(at, *rest)[1]
    for place in range(4):
        step = np.zeros(4)
        step[place] = 1e-6
        slope = (objective(at + step, *rest)[0] - objective(at - step, *rest)[0]) / 2e-6
        assert gradient[place] == pytest.approx(slope, rel=1e-4, abs=1e-4)
    low, high = bounds(at)
    assert 0 < low < high < 1


def test_scikit_learn_stands_behind_the_others():
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(1)
    defective = rng.random(80) < 0.5
    scores = rng.standard_normal(80) + defective
    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, targets(defective))
    ladder = np.linspace(-5, 5, 50)
    curve = fit(scores, defective, "isotonic")
    assert curve.probability(ladder) == pytest.approx(theirs.predict(ladder))
    histogram = fit(scores, defective, "histogram")
    assert len(histogram.values) == 10 == len(histogram.edges) + 1
    first = scores < histogram.edges[0]
    assert histogram.values[0] == pytest.approx(targets(defective)[first].mean())
    tied = fit(np.repeat([1.0, 2.0], 20), np.arange(40) % 3 == 0, "histogram")
    assert len(tied.values) == 2
    assert len(fit(np.ones(40), np.arange(40) % 3 == 0, "histogram").values) == 1


@pytest.mark.parametrize("value", [False, True])
def test_one_class_only_is_refused(value):
    with pytest.raises(InputError, match=r"only (good|defective) pictures, expected") as caught:
        fit(np.arange(3.0), np.full(3, value))
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="finite"):
        fit(np.array([1.0, math.nan]), np.array([True, False]))


def test_scores_that_are_upside_down_say_nothing():
    scores, defective = np.arange(20.0), np.arange(20) < 10
    for name in ("platt", "bounded", "isotonic"):
        curve = fit(scores, defective, name)
        values = curve.probability(scores)
        assert np.ptp(values) < 1e-3 and abs(values.mean() - 0.5) < 0.05
        if name != "bounded":
            assert curve.probability(np.array([-np.inf, np.inf])) == pytest.approx([0.5, 0.5])


def test_quality_by_hand():
    found = quality(np.array([0.1, 0.1, 0.9, 0.7]), np.array([False, True, True, False]), 5)
    assert found.brier == pytest.approx((0.01 + 0.81 + 0.01 + 0.49) / 4)
    assert found.ece == pytest.approx((2 * 0.4 + 0.1 + 0.7) / 4)
    assert [each.count for each in found.bins] == [2, 0, 0, 1, 1]
    assert quality(np.array([0.0, 1.0]), np.array([False, True])).ece == 0
    root = ET.fromstring(reliability_svg("a <b> & c", found))
    assert root.tag.endswith("svg") and "0.400" in "".join(root.itertext())


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_quality_against_brute_force(count, seed):
    rng = np.random.default_rng(seed)
    values, labels = rng.random(count), rng.random(count) < 0.5
    total = 0.0
    for number in range(15):
        inside = (values >= number / 15) & (values < (number + 1) / 15)
        if inside.any():
            total += inside.sum() * abs(labels[inside].mean() - values[inside].mean())
    assert quality(values, labels).ece == pytest.approx(total / count)


def test_a_calibration_is_what_its_record_says():
    scores, defective = np.arange(20.0), np.arange(20) > 11
    calibration = Calibration("platt", fit_all(scores, defective), {"split": "validation"})
    again = Calibration.from_record(calibration.record())
    assert again == calibration and set(again.curves) == set(CURVES)
    assert (again.probability(scores) == again.curves["platt"].probability(scores)).all()
    assert Calibration.from_record({}) is None
