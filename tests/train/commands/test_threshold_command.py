"""`stainless threshold`: which rule finds which threshold, with and without defects."""

import json
import shutil

import numpy as np
import pytest
from support.command_lines import brushed, refused, run, write

from train.detectors.model_file import Model


@pytest.fixture
def own(model, tmp_path):
    """A model of the test's own."""
    shutil.copy(model, tmp_path / "own.safetensors")
    return tmp_path / "own.safetensors"


@pytest.fixture(scope="module")
def nominal(tmp_path_factory):
    """A dataset in LOCO's layout, whose validation split holds good pictures alone."""
    root = tmp_path_factory.mktemp("nominal")
    for number in range(12):
        write(root / f"plate/validation/good/{number:02}.png", brushed(300 + number))
    write(root / "plate/train/good/0.png", brushed(0))
    return root


def thresholds(path):
    return Model.load(path).thresholds


def highest_pixels(model, folder):
    from stainless.dataset import load_image

    detector = Model.load(model).detector
    return np.array([detector.score([load_image(p)])[0].value for p in sorted(folder.glob("*"))])


def test_a_labelled_split_gives_both_thresholds(data, own, capsys):
    where = ["--data", data, "--category", "plate"]
    code, lines, told = run(capsys, "threshold", "--model", own, *where)
    found = thresholds(own)
    assert code == 0 and told == []
    assert lines[0].startswith(f"{own}: threshold {found['pixel']['value']:.6g}, pixel F1 ")
    assert lines[1].startswith(
        f"{own}: picture threshold {found['picture']['value']:.6g}, balanced"
    )
    assert all("4 validation images of plate, 2 of them good" in line for line in lines)
    assert {kind: entry["rule"] for kind, entry in found.items()} == {
        "pixel": "pixel-f1",
        "picture": "balanced",
    }
    assert found["picture"]["balanced_accuracy"] == 1.0 and found["picture"]["false_alarms"] == 0
    assert found["pixel"]["fingerprints"] == found["picture"]["fingerprints"]


def test_good_pictures_alone_are_enough(nominal, own, capsys):
    words = ["threshold", "--model", own, "--data", nominal, "--category", "plate"]
    code, lines, told = run(capsys, *words, "--false-alarms", 0.1)
    assert code == 0 and told == []
    assert "false alarms on 1 of 12 good pictures (8.33%, at most 10.00% wanted)" in lines[0]
    found = thresholds(own)
    scores = highest_pixels(own, nominal / "plate/validation/good")
    for entry in found.values():
        assert entry["rule"] == "false-alarms" and entry["share"] == 0.1
        assert (scores >= entry["value"]).sum() == 1
    assert found["pixel"]["value"] == pytest.approx(np.sort(scores)[-2], rel=1e-6)
    # The default is a share of 0.05, which twelve pictures cannot resolve.
    code, _, told = run(capsys, *words)
    assert code == 0 and len(told) == 1 and "12 good pictures are too few" in told[0]
    assert thresholds(own)["picture"]["false_alarms"] == 0


def test_a_share_of_false_alarms_asks_no_defect_even_where_there_are_some(data, own, capsys):
    words = ["threshold", "--model", own, "--data", data, "--category", "plate"]
    assert run(capsys, *words, "--false-alarms", 0.5)[0] == 0
    found = thresholds(own)
    assert {entry["rule"] for entry in found.values()} == {"false-alarms"}
    assert found["picture"]["good"] == 2 and found["picture"]["false_alarms"] == 1


def test_each_threshold_can_have_its_rule(data, own, capsys):
    words = ["threshold", "--model", own, "--data", data, "--category", "plate"]
    before = thresholds(own)["pixel"]["value"]
    assert run(capsys, *words, "--rule", "pixel-f1", "--false-alarms", 0.2)[0] == 0
    found = thresholds(own)
    assert (found["pixel"]["rule"], found["picture"]["rule"]) == ("pixel-f1", "false-alarms")
    assert found["pixel"]["value"] == before
    assert run(capsys, *words, "--picture-rule", "accuracy")[0] == 0
    found = thresholds(own)
    assert (found["pixel"]["rule"], found["picture"]["rule"]) == ("pixel-f1", "accuracy")
    assert found["picture"]["accuracy"] == 1.0


def test_what_a_rule_lacks_is_said_before_anything_is_scored(
    data, nominal, own, tmp_path, capsys, monkeypatch
):
    def never(*args):
        raise AssertionError("scored")

    monkeypatch.setattr("train.scoring.score_picture", never)
    words = ["threshold", "--model", own, "--data", nominal, "--category", "plate"]
    line = refused(capsys, *words, "--rule", "pixel-f1")
    assert "no image has a defect of the validation split, which the rule pixel-f1 needs" in line
    assert "picture-f1 needs" in refused(capsys, *words, "--picture-rule", "picture-f1")
    assert "invalid choice: 'picture-f1'" in refused(capsys, *words, "--rule", "picture-f1")
    monkeypatch.undo()
    line = refused(capsys, *words, "--false-alarms", 1)
    assert "--false-alarms: 1, expected from 0 to below 1" in line
    shutil.copytree(data / "plate/test/scratch", tmp_path / "plate/test/scratch")
    words = ["threshold", "--model", own, "--data", tmp_path, "--category", "plate"]
    words += ["--split", "test"]
    code, _, told = run(capsys, *words, "--false-alarms", 0.1)
    assert code == 2 and "warning" in told[0] and len(told) == 2
    assert "no image is good of the test split, which the rule false-alarms needs" in told[1]
    # Without masks and without good pictures there is nothing to outline defects by.
    code, lines, told = run(capsys, *words)
    assert code == 0 and set(thresholds(own)) == {"picture"}
    assert "no threshold can be fitted" in lines[0] and "no picture is good" in told[-1]


def test_without_masks_the_pixels_go_by_the_good_pictures(data, own, tmp_path, capsys):
    shutil.copytree(data / "plate/test", tmp_path / "plate/test")
    words = ["threshold", "--model", own, "--data", tmp_path, "--category", "plate"]
    assert run(capsys, *words, "--split", "test")[0] == 0
    found = thresholds(own)
    assert (found["pixel"]["rule"], found["picture"]["rule"]) == ("false-alarms", "balanced")


def test_the_rule_that_spoke_is_in_every_verdict(data, nominal, own, tmp_path, capsys):
    words = ["threshold", "--model", own, "--data", nominal, "--category", "plate"]
    assert run(capsys, *words, "--false-alarms", 0.1)[0] == 0
    score = ["score", "--model", own, data / "plate/test/scratch"]
    code, lines, told = run(capsys, *score, "--out", tmp_path / "out")
    verdicts = [json.loads(line) for line in lines]
    assert code == 0 and told == [f"{tmp_path / 'out'}: 2 of 2 pictures anomalous"]
    assert {verdict["rule"] for verdict in verdicts} == {"false-alarms"}
    assert {verdict["pixel_rule"] for verdict in verdicts} == {"false-alarms"}
    for options, rules in (
        (["--threshold", 1], ("given, any pixel", "given")),
        (["--picture-threshold", 1], ("given", "false-alarms")),
        (["--threshold", 1e6, "--picture-threshold", 1], ("given", "given")),
    ):
        _, lines, _ = run(capsys, *score, "--out", tmp_path / "given", *options)
        for verdict in map(json.loads, lines):
            assert (verdict["rule"], verdict["pixel_rule"]) == rules
            assert verdict["verdict"] == "anomalous" and verdict["threshold"] == 1
    for option in ("--threshold", "--picture-threshold"):
        line = refused(capsys, *score, "--out", tmp_path / "no", f"{option}=nan")
        assert f"{option}: nan, expected a finite number" in line
