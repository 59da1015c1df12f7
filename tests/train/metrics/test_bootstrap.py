"""The interval of a difference: paired, by groups, seeded."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stainless.errors import InputError
from train.metrics import compare, paired_bootstrap


def mean_of(values):
    return lambda drawn: float(np.asarray(values)[drawn].mean())


def test_a_difference_that_every_image_agrees_on_is_certain():
    values = np.random.default_rng(0).normal(size=40)
    groups = [f"part{n // 4}" for n in range(40)]
    found = paired_bootstrap(mean_of(values), mean_of(values + 0.5), groups, seed=1, rounds=200)
    assert found == pytest.approx((0.5, 0.5, 0.5))


def test_the_interval_is_that_of_the_mean():
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(2, 400))
    groups = [str(n) for n in range(400)]
    found = paired_bootstrap(mean_of(first), mean_of(second), groups, seed=2)
    assert found.difference == pytest.approx((second - first).mean())
    error = (second - first).std() / 20
    assert found.low == pytest.approx(found.difference - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(found.difference + 1.96 * error, abs=0.15 * error)


def test_images_of_one_group_count_as_one():
    values = np.repeat(np.random.default_rng(6).normal(size=30), 20)
    zero = mean_of(np.zeros(600))
    apart = paired_bootstrap(zero, mean_of(values), [str(n) for n in range(600)], seed=3)
    together = paired_bootstrap(zero, mean_of(values), [str(n // 20) for n in range(600)], seed=3)
    assert together.high - together.low > 3 * (apart.high - apart.low)


def test_the_seed_decides():
    values = np.random.default_rng(7).normal(size=30)
    groups = [str(n) for n in range(30)]
    zero = mean_of(np.zeros(30))
    one, same, other = (paired_bootstrap(zero, mean_of(values), groups, s, 50) for s in (1, 1, 2))
    assert one == same != other


def rows(count=20, shift=0.0):
    made = []
    for n in range(count):
        defective = n % 2 == 1
        made.append(
            {
                "name": f"{n:03}",
                "group": f"part{n // 2}",
                "label": "dent" if defective else "good",
                "defective": defective,
                "score": (n * 7 % count) / count + shift * defective,
                "flagged": n % 3 == 0,
                "pixel_tp": 5 * defective,
                "pixel_fp": n % 3,
                "pixel_fn": 2 * defective,
                "pixel_tn": 90,
                "defects": int(defective),
                "defects_found": int(defective),
                "defect_recall_sum": 0.25 * defective,
            }
        )
    return made


def test_compare():
    found = compare(rows(), rows(shift=2.0)[::-1], seed=0, rounds=100)
    assert (
        found["image_auroc"].difference > 0
        and found["image_auroc"].high >= found["image_auroc"].low
    )
    for name in ("false_alarm_rate", "pixel_false_alarm_rate", "f1", "precision", "recall"):
        assert found[name] == (0, 0, 0)
    better = rows()
    for row in better:
        row["defect_recall_sum"] *= 2
    assert compare(rows(), better, 0, 50)["mean_defect_recall"] == (0.25, 0.25, 0.25)


def test_undefined_draws_are_left_out():
    # One defective image among twelve groups: many draws miss it.
    some = rows(24)
    for row in some[2:]:
        row.update(defective=False, label="good", defects=0, pixel_tp=0, pixel_fn=0)
    found = compare(some, some, seed=0, rounds=100)["image_auroc"]
    assert found == (0, 0, 0)
    none = rows(24)
    for row in none:
        row.update(defective=False, label="good", defects=0)
    assert all(math.isnan(value) for value in compare(none, none, 0, 20)["image_auroc"])
    assert all(math.isnan(value) for value in paired_bootstrap(mean_nan, mean_nan, [], 0))


def mean_nan(drawn):
    return float("nan")


def test_only_the_same_images_can_be_compared():
    with pytest.raises(InputError, match="of different images: their names differ"):
        compare(rows(20), rows(18), seed=0)
    other = rows()
    other[1]["group"] = "elsewhere"
    with pytest.raises(InputError, match="their groups differ"):
        compare(rows(), other, seed=0)
