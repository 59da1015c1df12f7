"""Scenarios and findings, by hand."""

from __future__ import annotations

import pytest

from train.experiments.comparison import (
    FAILS,
    HOLDS,
    NOISE,
    UNTESTED,
    Comparisons,
    Evaluated,
    verdict_of,
    verdict_on,
)
from train.experiments.experiment import MethodEntry, waves
from train.experiments.sim_to_real.claims import findings
from train.experiments.sim_to_real.scenarios import SCENARIOS, chosen, with_needs
from train.metrics import Interval


def method(name: str, *sources: str, base: str | None = None) -> MethodEntry:
    return MethodEntry(name, "family", "sequential_patchcore", None, base=base, sources=sources)


def test_table_two_has_nineteen_rows() -> None:
    assert len(SCENARIOS) == 19 == len({method(each.name).slug for each in SCENARIOS})
    families = [scenario.family for scenario in SCENARIOS]
    assert [families.count(name) for name in ("real", "synthetic", "finetuned", "melded")] == [
        1, 8, 8, 2,
    ]  # fmt: skip


def test_what_is_needed_comes_along_and_no_more() -> None:
    needed = with_needs(chosen(["Melding_WS", "Synth DA finetuned"]))
    assert [scenario.name for scenario in needed] == [
        "Real", "Synth DA", "Synth_WS", "Synth_WS DA", "Synth_WS DR", "Synth DA finetuned",
        "Melding_WS",
    ]  # fmt: skip
    assert with_needs(chosen([])) == list(SCENARIOS)


def test_waves_need_earlier_ones_only() -> None:
    methods = [method("c", "a", "b"), method("a"), method("b", base="a"), method("d")]
    assert [[each.name for each in wave] for wave in waves(methods)] == [["a", "d"], ["b"], ["c"]]
    with pytest.raises(ValueError, match="methods x, y: what they need is not there"):
        waves([method("x", base="y"), method("y", base="x"), method("z")])


@pytest.mark.parametrize(
    ("interval", "spread", "verdict"),
    [
        (Interval(-0.2, -0.3, -0.1), None, HOLDS),
        (Interval(-0.2, -0.3, -0.1), 0.1, HOLDS),
        (Interval(-0.2, -0.3, -0.1), 0.25, NOISE),
        (Interval(-0.2, -0.3, 0.0), None, NOISE),
        (Interval(0.2, 0.1, 0.3), 0.1, FAILS),
    ],
)
def test_a_difference_counts_beyond_interval_and_spread(
    interval: Interval, spread: float | None, verdict: str
) -> None:
    assert verdict_on(interval, spread, -1) == verdict


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([], UNTESTED),
        ([("f1", HOLDS), ("f1", HOLDS), ("f1", NOISE), ("f1", FAILS)], HOLDS),
        ([("f1", HOLDS), ("f1", NOISE), ("f1", NOISE)], NOISE),
        ([("f1", FAILS), ("f1", NOISE)], FAILS),
        ([("f1", FAILS), ("f1", HOLDS)], FAILS),
        ([("f1", HOLDS), ("recall", HOLDS)], HOLDS),
        ([("f1", HOLDS), ("f1", HOLDS), ("recall", NOISE)], NOISE),
        ([("f1", HOLDS), ("time", NOISE), ("recall", FAILS)], FAILS),
    ],
)
def test_a_finding_needs_all_that_it_says(verdicts: list[tuple[str, str]], whole: str) -> None:
    assert verdict_of(verdicts) == whole


def evaluated(name: str, stained: int, seconds: float = 1.0, repeats: int = 1) -> Evaluated:
    """A method that flags so many of ten stain pixels, and half of the defect, in every image."""
    rows = [
        {
            "name": f"{number}", "group": f"part {number}", "label": "dent", "score": 1.0,
            "defective": True, "flagged": True, "pixel_tp": 5, "pixel_fp": stained,
            "pixel_fn": 5, "pixel_tn": 80, "defects": 1, "defects_found": 1,
            "defect_recall_sum": 0.5,
            "classes": {"stain": {
                "pixels": 10, "found": stained, "instances": 1, "recall_sum": stained / 10
            }},
        }
        for number in range(4)
    ]  # fmt: skip
    figures = {
        "precision": 5 / (5 + stained),
        "f1": 10 / (15 + stained),
        "mean_defect_recall": 0.5,
        "stain pixel_recall": stained / 10,
        "pixel_false_alarm_rate": 1.0 if stained > 8 else 0.2,
    }
    return Evaluated(name, rows * repeats, [figures] * repeats, seconds)


def test_findings_by_hand() -> None:
    methods = [
        evaluated("Real", 5),
        evaluated("Synth", 8),
        evaluated("Synth_WS", 2),
        evaluated("Synth finetuned", 1),
        evaluated("Synth DR+DA finetuned", 3, seconds=9.0),
        evaluated("Melding", 1, seconds=2.0),
    ]
    comparisons = Comparisons({each.name: each for each in methods}, 0, 50)
    stains, defects, finetuning, melding, augmentation, recalls = findings(
        comparisons, "stain", lambda key: f"why {key}"
    )
    assert stains["verdict"] == HOLDS and stains["reason"] == ""
    (one,) = stains["comparisons"]
    assert one["difference"] == pytest.approx(-0.6) and one["low"] == one["high"]
    assert defects["verdict"] == NOISE and defects["reason"] == "why defects"
    assert finetuning["verdict"] == HOLDS and len(finetuning["comparisons"]) == 4
    verdicts = {each["what"]: each["verdict"] for each in melding["comparisons"]}
    assert verdicts["precision"] == HOLDS and verdicts["mean defect recall"] == NOISE
    assert [v for k, v in verdicts.items() if k.startswith("CPU")] == [HOLDS]
    assert augmentation["verdict"] == UNTESTED
    # All methods find half of each defect: neither recall tells them apart.
    assert recalls["verdict"] == NOISE


def test_without_stains_their_finding_cannot_be_tested() -> None:
    methods = {name: evaluated(name, 1) for name in ("Synth", "Synth_WS")}
    first = findings(Comparisons(methods, 0, 10), None, lambda key: "")[0]
    assert first["verdict"] == UNTESTED and "lacks" in first["reason"]


def test_repeats_add_a_spread() -> None:
    methods = {
        "Synth": evaluated("Synth", 4, repeats=3),
        "Synth_WS": evaluated("Synth_WS", 1, repeats=3),
    }
    (one,) = findings(Comparisons(methods, 0, 10), "stain", lambda key: "")[0]["comparisons"]
    assert one["spread"] == pytest.approx(0) and one["verdict"] == HOLDS


def test_a_method_that_flags_every_good_picture_is_named() -> None:
    methods = {"Synth": evaluated("Synth", 4), "Synth_WS": evaluated("Synth_WS", 9)}
    stains = findings(Comparisons(methods, 0, 50), "stain", lambda key: "Too far.")[0]
    assert stains["verdict"] == FAILS
    assert stains["reason"].startswith("Synth_WS: something is flagged on every good picture.")
    assert stains["reason"].endswith("Too far.")


def test_one_defective_part_decides_nothing() -> None:
    methods = {"Synth": evaluated("Synth", 8), "Synth_WS": evaluated("Synth_WS", 1)}
    for method in methods.values():
        for row in method.rows:
            row["group"] = "part 0"  # type: ignore[index]
    found = findings(Comparisons(methods, 0, 50), "stain", lambda key: "Too far.")
    assert found[0]["verdict"] == NOISE and found[0]["comparisons"][0]["low"] is None
    assert "of one group" in found[0]["reason"]
    assert {finding["verdict"] for finding in found} == {NOISE, UNTESTED}
