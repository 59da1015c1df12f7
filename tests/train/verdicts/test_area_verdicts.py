"""Scores and verdicts of areas against counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stainless.errors import InputError
from train.metrics.records import Record
from train.verdicts.areas import (
    AREA,
    AreaReading,
    area_results,
    area_scores,
    area_thresholds,
    labelled_areas,
    product_results,
    read_areas,
)


def record(name, group, scores, mask):
    return Record(name, group, "scratch" if mask.any() else "good", scores, mask)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([0.2, 0.8]))
def test_areas_and_products_against_counting(seed, count, limit):
    random = np.random.default_rng(seed)
    records, shown = [], {}
    for number in range(count):
        scores = random.random((6, 8)).astype(np.float32)
        mask = random.random((6, 8)) < random.choice([0.0, 0.05])
        records.append(record(str(number), f"g{number // 3}", scores, mask))
        # The last area is empty now and then.
        indices = random.integers(0, random.choice([3, 4]), (6, 8))
        shown[str(number)] = {name: indices == k for k, name in enumerate("abc", 1)}
    readings = read_areas(lambda: records, shown.__getitem__)
    thresholds = {"a": limit, "b": 0.9, "c": 0.5}
    areas, products = area_results(readings, thresholds)
    rejected, bad = set(), set()
    for name in "abc":
        good = alarms = found = defective = 0
        for each in records:
            inside = shown[each.name][name]
            if not inside.any():
                continue
            flagged = max(each.scores[inside]) >= np.float32(thresholds[name])
            marked = any(each.mask[inside])
            rejected |= {each.group} if flagged else set()
            bad |= {each.group} if marked else set()
            good, alarms = good + (not marked), alarms + (flagged and not marked)
            defective, found = defective + marked, found + (flagged and marked)
        if name in areas:
            told = areas[name]
            assert (told["good"], told["false_alarms"]) == (good, alarms)
            assert (told["defective"], told["found"]) == (defective, found)
    groups = {reading.group for reading in readings}
    assert products["good"] == len(groups - bad) and products["defective"] == len(bad)
    assert products["false_alarms"] == len(rejected - bad)
    assert products["found"] == len(rejected & bad)


def test_products_are_as_bad_as_their_worst_picture():
    rows = [
        {"group": "x", "score": 1.0, "defective": False},
        {"group": "x", "score": 5.0, "defective": False},
        {"group": "y", "score": 2.0, "defective": True},
        {"group": "z", "score": 0.0, "defective": False},
    ]
    found = product_results(rows, 2.0)
    assert (found["good"], found["false_alarms"], found["false_alarm_rate"]) == (2, 1, 0.5)
    assert (found["defective"], found["found"]) == (1, 1)


def test_what_a_model_keeps_and_what_does_not_fit():
    kept = {"pixel": {"value": 1.0}, f"{AREA}cap": {"value": 2.0}}
    assert area_thresholds(kept) == {"cap": 2.0}
    with pytest.raises(InputError, match="area 'cap' is of 3x2 pixels, the picture of 4x2"):
        area_scores(np.zeros((2, 4), np.float32), {"cap": np.ones((2, 3), bool)})
    reading = AreaReading("cap", "g", 1.0, False)
    with pytest.raises(InputError, match="area 'cap': the model has no threshold"):
        area_results([reading], {})
    good = record("a", "a", np.zeros((2, 2), np.float32), np.zeros((2, 2), bool))
    with pytest.raises(InputError, match=r"areas: no picture has any, expected .*_area\.png"):
        read_areas(lambda: [good], lambda name: {})
    assert labelled_areas([reading])["cap"].nominal.tolist() == [1.0]
