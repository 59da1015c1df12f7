"""Exact pixel metrics and AU-PRO against their definition and against reference libraries."""

from __future__ import annotations

import math

import brute_force
import numpy as np
import pytest
from brute_force import flat, images, maps_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stainless.errors import InputError
from train.metrics import (
    anomalous,
    f1_max,
    pixels,
    radix,
    region_weights,
    resolve,
)
from train.metrics.pixels import Confusion, RocCurve, confusion
from train.metrics.radix import BUDGET, Radix
from train.metrics.regions import FPR_LIMIT, ProCurve
from train.metrics.resolve import COUNTED
from train.metrics.scores import from_keys, to_keys

#: From so few bytes that every bin has a reading of its own to one reading for all.
budgets = st.sampled_from([1, 200, 1 << 20])


def followed(curve_of, maps, budget=BUDGET):
    """Follow one curve alone over all scores."""
    counts = Radix()
    for image in maps():
        counts.update(image)
    curve = curve_of(counts)
    for steps in counts.steps(maps, curve.needed, budget):
        curve.update(steps)
    return curve.result()


def pixel_auroc(maps, budget=BUDGET):
    return followed(RocCurve, maps, budget)


def au_pro(maps, limit=FPR_LIMIT, budget=BUDGET):
    return followed(lambda counts: ProCurve(counts, limit), maps, budget)


@pytest.fixture(params=["collected", "counted"])
def way(request, monkeypatch):
    """Resolve bins by collecting their pixels, or by counting them, however few they are."""
    if request.param == "counted":
        monkeypatch.setattr(resolve, "COUNTED", 0)
    return request.param


def test_keys_order_as_scores_do():
    after_one = np.nextafter(np.float32(1), np.float32(2))
    scores = np.array([-3e38, -2, -1, -1e-37, 0, 1e-37, 0.5, 1, after_one, 3e38], np.float32)
    keys = to_keys(scores)
    assert keys.dtype == np.uint32 and (np.diff(keys.astype(np.int64)) > 0).all()
    assert (from_keys(keys) == scores).all()
    assert to_keys(np.array([-0.0], np.float32)) == to_keys(np.array([0.0], np.float32))


@settings(max_examples=80, deadline=None)
@given(images(), budgets)
def test_f1_max_is_exact(found, budget):
    best = f1_max(maps_of(found), budget)
    if flat(found)[1].any():
        assert tuple(best) == brute_force.f1_max(found)
        scores, mask = flat(found)
        assert confusion(anomalous(scores.astype(np.float32), best.threshold), mask).f1 == best.f1
    else:
        assert math.isnan(best.f1) and math.isnan(best.threshold)


@settings(max_examples=80, deadline=None)
@given(images(), budgets)
def test_auroc_is_exact(found, budget):
    from sklearn.metrics import roc_auc_score

    scores, mask = flat(found)
    value = pixel_auroc(maps_of(found), budget)
    if mask.all() or not mask.any():
        assert math.isnan(value)
        return
    assert value == pytest.approx(brute_force.auroc(scores, mask), abs=1e-12)
    assert value == pytest.approx(roc_auc_score(mask, scores), abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(images(), budgets, st.sampled_from([0.05, 0.3, 1.0]))
def test_au_pro_is_exact(found, budget, limit):
    _, mask = flat(found)
    value = au_pro(maps_of(found), limit, budget)
    if mask.all() or not mask.any():
        assert math.isnan(value)
    else:
        assert value == pytest.approx(brute_force.au_pro(found, limit), abs=1e-12)


def realistic(seed, ties):
    rng = np.random.default_rng(seed)
    found = []
    for number in range(5):
        scores = rng.gamma(2.0, 1.0, (32, 40)).astype(np.float32)
        mask = np.zeros(scores.shape, bool)
        if number % 2:
            for _ in range(3):
                top, left = rng.integers(0, 24), rng.integers(0, 28)
                mask[top : top + rng.integers(1, 9), left : left + rng.integers(1, 13)] = True
            scores[mask] += 1.3
        found.append((np.round(scores, 1) if ties else scores, mask))
    return found


@pytest.mark.parametrize(("ties", "block"), [(False, 1), (False, 1 << 18), (True, 40)])
def test_both_ways_to_resolve_a_bin(way, ties, block, monkeypatch):
    monkeypatch.setattr(radix, "_BLOCK", block)
    found = realistic(3, ties)
    maps = maps_of(found)
    # Room for one counted bin or for a few collected ones.
    budget = COUNTED + 1
    assert tuple(f1_max(maps, budget)) == brute_force.f1_max(found)
    assert pixel_auroc(maps, budget) == pytest.approx(brute_force.auroc(*flat(found)), abs=1e-12)
    assert au_pro(maps, 0.3, budget) == pytest.approx(brute_force.au_pro(found), abs=1e-12)


def test_a_bin_with_more_pixels_than_are_worth_collecting():
    rng = np.random.default_rng(0)
    # All of these scores share the upper half of their keys.
    scores = (1 + rng.integers(0, 300, (700, 900)) * 2.0**-23).astype(np.float32)
    mask = rng.random(scores.shape) < 0.1
    found = [(scores, mask)]
    counts = Radix()
    counts.update(maps_of(found)()[0])
    assert np.count_nonzero(counts.positives) == 1
    assert 32 * counts.positives.max() + 4 * counts.negatives.max() > COUNTED
    assert tuple(f1_max(maps_of(found))) == brute_force.f1_max(found)
    from sklearn.metrics import roc_auc_score

    assert pixel_auroc(maps_of(found)) == pytest.approx(roc_auc_score(mask.ravel(), scores.ravel()))


def test_f1_max_reads_the_images_twice():
    maps = maps_of(realistic(1, False))
    f1_max(maps)
    assert maps.times == 2


@pytest.mark.parametrize("ties", [False, True])
def test_au_pro_agrees_with_anomalib(ties):
    torch = pytest.importorskip("torch")
    aupro = pytest.importorskip("anomalib.metrics.aupro")
    found = realistic(2, ties)
    reference = aupro._AUPRO(fpr_limit=0.3)
    scores = torch.tensor(np.stack([scores for scores, _ in found]))
    masks = torch.tensor(np.stack([mask for _, mask in found]).astype(np.int32))
    reference.update(scores, masks)
    # It works in float32 and resamples the curve.
    assert au_pro(maps_of(found)) == pytest.approx(float(reference.compute()), abs=2e-3)


def test_f1_max_agrees_with_torchmetrics():
    torch = pytest.importorskip("torch")
    curve = pytest.importorskip("torchmetrics.functional.classification")
    found = realistic(4, True)
    scores, mask = flat(found)
    # Scores outside 0 to 1 would be taken for logits.
    precision, recall, _ = curve.binary_precision_recall_curve(
        torch.tensor(scores / 100), torch.tensor(mask.astype(int))
    )
    expected = float((2 * precision * recall / (precision + recall).clamp(min=1e-12)).max())
    assert f1_max(maps_of(found)).f1 == pytest.approx(expected, abs=1e-6)


def test_constants():
    mask = np.zeros((4, 5), bool)
    mask[1, 1:3] = True
    maps = maps_of([(np.full((4, 5), 0.7, np.float32), mask)])
    assert pixel_auroc(maps) == 0.5
    assert au_pro(maps, 1.0) == 0.5
    assert au_pro(maps) == pytest.approx(0.15)
    assert tuple(f1_max(maps)) == (pytest.approx(4 / 22), float(np.float32(0.7)))


def test_no_image_at_all():
    assert (
        math.isnan(pixel_auroc(list)) and math.isnan(au_pro(list)) and math.isnan(f1_max(list).f1)
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_number_name_the_image(value):
    scores = np.zeros((3, 4), np.float32)
    scores[1, 2] = value
    what = "NaN" if np.isnan(value) else "infinite values"
    with pytest.raises(InputError, match=f"test/dent/003: anomaly map has {what}"):
        pixels("test/dent/003", scores, np.zeros((3, 4), bool))


def test_shapes_must_agree():
    with pytest.raises(InputError, match=r"a: anomaly map is \(3, 4\), ground truth \(4, 3\)"):
        pixels("a", np.zeros((3, 4)), np.zeros((4, 3), bool))


def test_maps_that_change_between_readings_are_found(way):
    rng = np.random.default_rng(0)
    mask = np.zeros((9, 9), bool)
    mask[:4] = True
    with pytest.raises(InputError, match="changed between two readings"):
        pixel_auroc(lambda: [pixels("a", rng.normal(size=(9, 9)), mask)])


@settings(max_examples=60, deadline=None)
@given(images(), st.integers(0, 3))
def test_ignored_pixels_count_for_nothing(found, seed):
    rng = np.random.default_rng(seed)
    kept, cut = [], []
    for scores, mask in found:
        ignore = rng.random(mask.shape) < 0.4
        assume(not ignore.all())
        weights, _ = region_weights(mask, ignore)
        kept.append(pixels("a", scores, mask, ignore, weights))
        cut.append((scores[~ignore][None], mask[~ignore][None]))
    for metric in (f1_max, pixel_auroc):
        np.testing.assert_array_equal(metric(lambda: kept), metric(maps_of(cut)))


def test_region_weights():
    mask = np.zeros((6, 8), bool)
    mask[0, 0] = mask[1, 1] = True  # one region by its corner
    mask[4, 2:7] = True
    weights, count = region_weights(mask)
    assert count == 2 and weights[mask].tolist() == [0.5, 0.5] + [0.2] * 5 and weights.sum() == 2
    ignore = np.zeros_like(mask)
    ignore[:, 4:] = ignore[:2] = True
    weights, count = region_weights(mask, ignore)
    assert count == 1 and weights[4].tolist() == [0, 0, 0.5, 0.5, 0, 0, 0, 0]


@settings(max_examples=60, deadline=None)
@given(images(), st.floats(-2, 2, width=32))
def test_confusion(found, threshold):
    scores, mask = flat(found)
    counts = confusion(anomalous(scores.astype(np.float32), threshold), mask)
    flagged = scores >= threshold
    assert counts.true_positive == (flagged & mask).sum()
    assert counts.false_positive == (flagged & ~mask).sum()
    assert counts.false_negative == (~flagged & mask).sum()
    assert counts.true_negative == (~flagged & ~mask).sum()


def test_undefined_ratios():
    nothing = Confusion(true_negative=9)
    assert math.isnan(nothing.precision) and math.isnan(nothing.recall) and math.isnan(nothing.f1)
    missed = Confusion(false_negative=3)
    assert math.isnan(missed.precision) and missed.recall == 0 and missed.f1 == 0
    alarm = Confusion(false_positive=3)
    assert alarm.precision == 0 and math.isnan(alarm.recall) and alarm.f1 == 0
