"""A guarantee from the command line: kept from fitting, promised, told where it may not hold."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from stainless.cli import main
from stainless.files import write_text

GROUPS, EACH = 48, 2
HOLD = ["--hold-out", "0.8", "--hold-out-seed", "3"]


def metal(seed, light=1.0):
    """Return (96, 96) uint8 of brushed metal."""
    rng = np.random.default_rng(seed)
    streaks = cv2.blur(rng.standard_normal((96, 96)), (21, 1))
    grain = rng.standard_normal((96, 96))
    return np.clip(light * (110 + 150 * streaks + 4 * grain), 0, 255).astype(np.uint8)


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A dataset of good pictures in groups, and a model of the groups that were not held out."""
    root = tmp_path_factory.mktemp("guarantee")
    rows = ["image,part_group"]
    for number in range(GROUPS * EACH):
        write(root / f"metal/train/good/{number:03}.png", metal(number // EACH * 100 + number))
        rows.append(f"train/good/{number:03}.png,g{number // EACH}")
    write_text(root / "metal/groups.csv", "\n".join(rows) + "\n")
    model = root / "model.safetensors"
    words = ["--data", str(root), "--category", "metal"]
    small = ["--size", "16", "--epochs", "1", "--pool-stride", "2"]
    assert main(["fit", *words, *HOLD, "--out", str(model), *small]) == 0
    return root, words, ["--model", str(model)]


def threshold(fitted, *more):
    _, words, model = fitted
    return main(["threshold", *words, *model, "--split", "train", *more])


def test_a_guarantee_is_promised_by_what_was_held_out(fitted, capsys):
    root, _, model = fitted
    assert threshold(fitted, *HOLD, "--guarantee", "0.06") == 0
    told = capsys.readouterr().out
    assert "at most 6.00% false alarms promised by 38 independent good scores" in told
    assert "product threshold" in told
    out = root / "scored"
    for number in range(30):
        write(root / f"new/{number:02}.png", metal(9000 + number))
    assert main(["score", *model, str(root / "new"), "--out", str(out)]) == 0
    lines = [json.loads(line) for line in (out / "verdicts.jsonl").read_text().splitlines()]
    assert {line["rule"] for line in lines} == {"guarantee"}
    for line in lines:
        # Thirty-eight groups: one in thirty-nine at the least.
        assert 1 / 39 - 1e-6 <= line["p_value"] <= 1
        assert (line["verdict"] == "anomalous") == (line["p_value"] <= 0.06)
    assert "warning" not in capsys.readouterr().err


def test_too_few_are_refused_with_the_number(fitted, capsys):
    assert threshold(fitted, *HOLD, "--guarantee", "0.01") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "needs 99 good scores" in error and "there are 38" in error


@pytest.mark.parametrize("level", ["0", "1", "-0.5"])
def test_a_level_out_of_range(fitted, capsys, level):
    assert threshold(fitted, *HOLD, f"--guarantee={level}") == 2
    assert "expected between 0 and 1" in capsys.readouterr().err


def test_what_was_learned_from_promises_nothing(fitted, capsys):
    assert threshold(fitted, "--guarantee", "0.06") == 2
    assert "--split: train, expected with --hold-out" in capsys.readouterr().err
    other = ["--hold-out", "0.8", "--hold-out-seed", "4"]
    assert threshold(fitted, *other, "--guarantee", "0.06") == 2
    assert "did not learn from the rest of this hold-out alone" in capsys.readouterr().err


def test_drift_is_said(fitted, capsys):
    root, _, model = fitted
    assert threshold(fitted, *HOLD, "--guarantee", "0.06") == 0
    # Good metal, a little out of focus.
    for number in range(60):
        sharp = metal(9400 + number)
        soft = cv2.addWeighted(sharp, 0.6, cv2.blur(sharp, (5, 1)), 0.4, 0)
        write(root / f"soft/{number:02}.png", soft)
    capsys.readouterr()
    assert main(["score", *model, str(root / "soft"), "--out", str(root / "drift")]) == 0
    error = capsys.readouterr().err
    assert "that passed score higher than those that the guarantee rests on" in error
