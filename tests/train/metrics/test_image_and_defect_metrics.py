"""Image AUROC, false alarms, and recall defect by defect."""

from __future__ import annotations

import math

import brute_force
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from train.metrics import COVERAGE_THRESHOLDS, false_alarm_rate, image_auroc
from train.metrics.defects import ClassRecall, DefectRecall, Instance, instances_of

pairs = st.lists(
    st.tuples(st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(-1e6, 1e6)), st.booleans()),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(pairs)
def test_image_auroc(found):
    from sklearn.metrics import roc_auc_score

    scores = np.array([score for score, _ in found], float)
    defective = np.array([label for _, label in found], bool)
    value = image_auroc(scores, defective)
    if defective.all() or not defective.any():
        assert math.isnan(value)
        return
    assert value == pytest.approx(brute_force.auroc(scores, defective), abs=1e-12)
    assert value == pytest.approx(roc_auc_score(defective, scores), abs=1e-12)


def test_false_alarm_rate():
    flagged, defective = np.array([1, 0, 1, 1], bool), np.array([0, 0, 1, 0], bool)
    assert false_alarm_rate(flagged, defective) == pytest.approx(2 / 3)
    assert math.isnan(false_alarm_rate(flagged, np.ones(4, bool)))


def test_there_are_twelve_thresholds():
    assert len(COVERAGE_THRESHOLDS) == 12
    assert COVERAGE_THRESHOLDS[0] == 0 and COVERAGE_THRESHOLDS[-1] == 1


@pytest.mark.parametrize(
    ("pixels", "found", "times"),
    [(10, 0, 0), (1000, 1, 1), (20, 1, 2), (10, 1, 3), (10, 5, 7), (3, 3, 12)],
)
def test_at_how_many_thresholds_a_defect_is_found(pixels, found, times):
    recalls = Instance(1, 1, pixels, found).recalls
    assert recalls.sum() == times and (np.sort(recalls)[::-1] == recalls).all()


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_instances(data):
    shape = data.draw(st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8))
    classes = data.draw(st_numpy.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 255])))
    numbers = data.draw(st_numpy.arrays(np.uint16, shape, elements=st.sampled_from([0, 1, 65535])))
    flagged = data.draw(st_numpy.arrays(bool, shape))
    ignore = data.draw(st.one_of(st.none(), st_numpy.arrays(bool, shape)))
    counted = np.ones(shape, bool) if ignore is None else ~ignore
    expected = []
    for index in (1, 2, 255):
        for number in (0, 1, 65535):
            there = (classes == index) & (numbers == number) & counted
            if there.any():
                expected.append(
                    Instance(index, number, int(there.sum()), int((there & flagged).sum()))
                )
    assert instances_of(flagged, classes, numbers, ignore) == expected


def test_recall_by_class_and_over_all():
    recall = DefectRecall()
    for name, found in [("dent", 10), ("dent", 0), ("scratch", 5), ("scratch", 1)]:
        recall.add(name, Instance(1, 1, 10, found))
    by_threshold = dict(zip(COVERAGE_THRESHOLDS, recall.recall(), strict=True))
    assert by_threshold[0.0] == by_threshold[0.1] == 0.75
    assert by_threshold[0.2] == by_threshold[0.5] == 0.5 and by_threshold[1.0] == 0.25
    assert recall.recall("dent").tolist() == [0.5] * 12
    assert recall.mean_recall() == pytest.approx((12 + 0 + 7 + 3) / 4 / 12)
    assert recall.count() == 4 and recall.count("scratch") == 2
    assert recall.count("bump") == 0 and math.isnan(recall.mean_recall("bump"))
    assert np.isnan(DefectRecall().recall()).all()


def test_class_recall():
    recall = ClassRecall()
    recall.add("water_stain", 30, 3)
    recall.add("water_stain", 10, 7)
    assert recall.recall("water_stain") == 0.25 and recall.pixels("water_stain") == 40
    assert math.isnan(recall.recall("dent")) and recall.pixels("dent") == 0
