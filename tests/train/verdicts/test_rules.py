"""Rules that fit thresholds, against trying every threshold; and a rule added by a file."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stainless.errors import InputError
from train.metrics.pixels import confusion, f1_max
from train.metrics.scores import pixels
from train.verdicts import PICTURE, PIXEL, PRODUCT, Labelled, all_rules, fit_areas, rule_named

values = st.one_of(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), st.floats(-1e6, 1e6, width=32))
labelled = st.lists(st.tuples(values, st.booleans()), min_size=1, max_size=25).flatmap(
    lambda pairs: st.sampled_from([np.float32, np.float64]).map(
        lambda kind: Labelled(
            np.array([score for score, _ in pairs], kind), np.array([d for _, d in pairs], bool)
        )
    )
)


def thresholds(scores):
    """Every threshold that decides differently, the highest first."""
    known = np.unique(scores)[::-1]
    return [np.nextafter(known[0], np.asarray(np.inf, scores.dtype)), *known]


@settings(max_examples=150, deadline=None)
@given(labelled, st.sampled_from([0.0, 0.05, 0.1, 0.29, 1 / 3, 0.5, 0.99]))
def test_false_alarms_is_the_smallest_threshold_that_keeps_the_share(known, share):
    good = known.nominal
    known_rule = rule_named("false-alarms", PICTURE)
    if not len(good):
        with pytest.raises(InputError, match="no picture is good"):
            known_rule.fit(known, share)
        return
    fitted = known_rule.fit(known, share)
    assert (good >= fitted.value).mean() <= share
    below = np.nextafter(np.asarray(fitted.value, good.dtype), np.asarray(-np.inf, good.dtype))
    assert (good >= below).mean() > share
    assert fitted.how["reached"] == (good >= fitted.value).mean()
    # Whatever is defective says nothing.
    assert (
        rule_named("false-alarms", PIXEL).fit(Labelled(good, np.zeros(len(good), bool)), share)
        == fitted
    )


@pytest.mark.parametrize(("number", "share"), [(100, 0.29), (20, 0.05), (40, 0.35), (3, 1 / 3)])
def test_rounding_takes_no_picture_from_the_share(number, share):
    scores = np.arange(number, dtype=float)
    fitted = rule_named("false-alarms", PICTURE).fit(
        Labelled(scores, np.zeros(number, bool)), share
    )
    assert fitted.how["false_alarms"] == round(number * share)


def test_of_new_pictures_no_more_are_flagged_than_was_said():
    rng = np.random.default_rng(0)
    alarms = []
    for _ in range(3000):
        *good, new = rng.normal(size=31)
        known = Labelled(np.array(good), np.zeros(30, bool))
        fitted = rule_named("false-alarms", PICTURE).fit(known, 0.1)
        alarms.append(new >= fitted.value)
    assert fitted.how["expected_at_most"] == 4 / 31
    assert np.mean(alarms) == pytest.approx(4 / 31, abs=0.02)


def test_too_few_good_pictures_are_told():
    few = Labelled(np.arange(12.0), np.zeros(12, bool))
    fitted = rule_named("false-alarms", PICTURE).fit(few, 0.05)
    assert fitted.caution == (
        "12 good pictures are too few for a share of 0.05, which needs 20: none of them may be "
        "flagged"
    )
    assert fitted.how["false_alarms"] == 0 and fitted.value == np.nextafter(11.0, 12)
    assert rule_named("false-alarms", PICTURE).fit(few, 0.1).caution is None


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_out_of_range(share):
    with pytest.raises(InputError, match=r"--false-alarms: .*, expected from 0 to below 1"):
        rule_named("false-alarms", PICTURE).fit(Labelled(np.ones(3), np.zeros(3, bool)), share)


def assert_in_the_gap(value, flagged, scores):
    """It decides as the lowest score that is flagged, and is as far from that as from the next."""
    assert np.array_equal(scores >= value, scores >= flagged)
    below = scores[scores < flagged]
    if flagged > scores.max() or not len(below):
        assert value == flagged
    else:
        middle = (float(below.max()) + flagged) / 2
        assert value == pytest.approx(middle, rel=1e-6, abs=1e-300)


@settings(max_examples=150, deadline=None)
@given(labelled)
def test_picture_f1_is_the_highest(known):
    if not known.defective.any():
        with pytest.raises(InputError, match="no picture has a defect"):
            rule_named("picture-f1", PICTURE).fit(known, None)
        return
    fitted = rule_named("picture-f1", PICTURE).fit(known, None)
    every = {
        float(t): confusion(known.scores >= t, known.defective).f1 for t in thresholds(known.scores)
    }
    best = max(every.values())
    assert fitted.how["f1"] == pytest.approx(best, abs=1e-12)
    lowest = max(t for t, f1 in every.items() if f1 == pytest.approx(best, abs=1e-12))
    assert_in_the_gap(fitted.value, lowest, known.scores)
    assert (fitted.caution is None) == (not known.defective.all())


@settings(max_examples=150, deadline=None)
@given(labelled)
def test_balanced_accuracy_is_the_highest(known):
    if known.defective.all() or not known.defective.any():
        with pytest.raises(InputError, match=r"no picture (has a defect|is good)"):
            rule_named("balanced", PICTURE).fit(known, None)
        return

    def balanced(threshold):
        flagged = known.scores >= threshold
        return (flagged[known.defective].mean() + (~flagged[~known.defective]).mean()) / 2

    fitted = rule_named("balanced", PICTURE).fit(known, None)
    every = {float(t): balanced(t) for t in np.unique(known.scores)}
    best = max(every.values())
    assert fitted.how["balanced_accuracy"] == pytest.approx(best, abs=1e-12)
    assert balanced(fitted.value) == pytest.approx(best, abs=1e-12)
    lowest = max(t for t, found in every.items() if found == pytest.approx(best, abs=1e-12))
    assert_in_the_gap(fitted.value, lowest, known.scores)


def test_balanced_does_not_follow_the_majority():
    # Nine in ten are defective and half of these look good: F1 flags all, this does not.
    rng = np.random.default_rng(2)
    scores = np.concatenate([rng.normal(0, 1, 20), rng.normal(0, 1, 90), rng.normal(6, 1, 90)])
    known = Labelled(scores, np.arange(200) >= 20)
    alarms = {
        name: rule_named(name, PICTURE).fit(known, None).how["false_alarms"]
        for name in ("balanced", "picture-f1")
    }
    assert alarms["balanced"] == 0 and alarms["picture-f1"] > 15


@settings(max_examples=150, deadline=None)
@given(labelled)
def test_accuracy_is_the_highest(known):
    fitted = rule_named("accuracy", PICTURE).fit(known, None)
    every = {
        float(t): ((known.scores >= t) == known.defective).sum() for t in thresholds(known.scores)
    }
    best = max(every.values())
    lowest = max(t for t, right in every.items() if right == best)
    assert_in_the_gap(fitted.value, lowest, known.scores)
    assert fitted.how["accuracy"] == best / len(known.scores)


def test_pixel_f1_is_that_of_the_metrics():
    rng = np.random.default_rng(1)
    maps = [
        pixels(f"{n}", rng.random((8, 9)).astype(np.float32), rng.random((8, 9)) < 0.2)
        for n in range(3)
    ]
    known = Labelled(np.zeros(3, np.float32), np.ones(3, bool), lambda: maps)
    fitted = rule_named("pixel-f1", PIXEL).fit(known, None)
    best = f1_max(lambda: maps)
    assert (fitted.how["f1"], fitted.value) == tuple(best)
    assert fitted.entry() == {"value": best.threshold, "rule": "pixel-f1", "f1": best.f1}
    clean = [pixels("a", np.zeros((2, 2)), np.zeros((2, 2), bool))]
    for nothing in (None, lambda: clean):
        with pytest.raises(InputError, match="no defective pixel"):
            rule_named("pixel-f1", PIXEL).fit(
                Labelled(np.zeros(1), np.zeros(1, bool), nothing), None
            )


def test_each_area_has_a_threshold_of_its_own():
    areas = {
        "cap": Labelled(np.array([1.0, 2, 8, 9]), np.array([0, 0, 1, 1], bool)),
        "neck": Labelled(np.array([10.0, 20, 30, 40]), np.array([0, 0, 0, 1], bool)),
    }
    fitted = fit_areas("accuracy", areas)
    assert {name: found.value for name, found in fitted.items()} == {"cap": 5.0, "neck": 35.0}
    areas["base"] = Labelled(np.zeros(0), np.zeros(0, bool))
    with pytest.raises(InputError, match="area 'base': there is no score"):
        fit_areas("accuracy", areas)


def test_a_rule_says_what_it_is_for():
    assert {"accuracy", "balanced", "false-alarms", "picture-f1"} <= set(all_rules())
    with pytest.raises(InputError, match="rule 'pixel-f1' of a picture: expected one of accuracy"):
        rule_named("pixel-f1", PICTURE)


@pytest.mark.parametrize("known", all_rules().values(), ids=all_rules())
def test_every_rule_is_deterministic_and_describes_itself(known):
    rng = np.random.default_rng(3)
    masks = [rng.random((5, 5)) < 0.3 for _ in range(36)]
    maps = [pixels(f"{n}", rng.random((5, 5)), mask) for n, mask in enumerate(masks)]
    scores = np.array([image.scores.max() for image in maps])
    data = Labelled(scores, np.arange(36) % 3 == 0, lambda: maps)
    first, second = known.fit(data, known.default), known.fit(data, known.default)
    assert first == second and first.rule == known.name and first.line
    assert np.isfinite(first.value) and known.summary and set(known.of) <= {PIXEL, PICTURE, PRODUCT}
    if not known.needs_defects:
        known.fit(Labelled(scores, np.zeros(36, bool)), known.default)


def test_rules_are_listed_without_anything_heavy():
    code = (
        "import sys\n"
        "from train.verdicts import all_rules\n"
        "assert all_rules()\n"
        "heavy = {'torch', 'cv2', 'bpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
