"""A detector is added in one folder of three files: nothing else changes."""

import json
import sys
from pathlib import Path

import pytest
from support.check_detector import check_detector
from support.command_lines import brushed, refused, run, write, write_test_split

import train.detectors

EXAMPLES = Path(__file__).parents[2] / "examples" / "detectors"


@pytest.fixture(autouse=True)
def place(monkeypatch):
    """The example beside the detectors that exist."""
    monkeypatch.setattr(train.detectors, "__path__", [*train.detectors.__path__, str(EXAMPLES)])
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        if name.startswith("train.detectors.mean_grey"):
            del sys.modules[name]


@pytest.fixture
def where(tmp_path):
    data = tmp_path / "data"
    for number in range(3):
        write(data / f"plate/train/good/{number}.png", brushed(number))
    write_test_split(data / "plate", 100)
    write_test_split(data / "validation/plate", 200)
    return "--data", data, "--category", "plate"


def test_it_is_listed_with_its_keys(capsys):
    code, lines, _ = run(capsys, "methods")
    assert code == 0
    (row,) = [line for line in lines if line.startswith("mean_grey ")]
    assert row.split() == [
        *("mean_grey", "nominal", "pictures", "yes", "no", "no", "no"),
        *["distance", "to", "the", "mean", "grey", "of", "nominal", "pictures"],
    ]
    code, lines, _ = run(capsys, "fit", "--method", "mean_grey", "--keys")
    assert lines == [
        "--mean_grey.least_spread (a number; default 1.0)",
        "    smallest standard deviation that counts, in grey levels",
    ]


def test_it_keeps_what_every_method_promises(tmp_path):
    check_detector("mean_grey", tmp_path)


def test_the_commands_take_its_models(where, tmp_path, capsys):
    model, out = tmp_path / "m.safetensors", tmp_path / "out"
    words = ("fit", "--method", "mean_grey", *where, "--out", model)
    code, lines, errors = run(capsys, *words, "--mean_grey.least_spread", "2")
    assert (code, lines, len(errors)) == (0, [], 1)
    code, lines, _ = run(capsys, *words, "--least-spread", "2")
    assert lines == [f"{model}: this fit is finished already"]
    assert "another fit" in refused(capsys, *words, "--least-spread", "3")
    assert run(capsys, "threshold", "--model", model, *where)[0] == 0
    assert run(capsys, "evaluate", "--model", model, *where, "--out", out)[0] == 0
    assert json.loads((out / "metrics.json").read_text())["pixels"]["auroc"] > 0.9
    folder = tmp_path / "data/plate/test/scratch"
    code, lines, _ = run(capsys, "score", "--model", model, folder, "--out", tmp_path / "scored")
    assert code == 0
    for verdict in map(json.loads, lines):
        assert verdict["verdict"] == "anomalous" and verdict["regions"][0]["nearest"] is None


def test_what_it_cannot_do_is_one_line(where, tmp_path, capsys):
    models = [tmp_path / f"{name}.safetensors" for name in "ab"]
    for model in models:
        assert run(capsys, "fit", "--method", "mean_grey", *where, "--out", model)[0] == 0
    out = tmp_path / "c.safetensors"
    line = refused(capsys, "meld", *models, "--out", out)
    assert "a model of mean_grey cannot be melded" in line
    line = refused(capsys, "fit", *where, "--from", models[0], "--out", out)
    assert "a model of mean_grey cannot be continued" in line
    words = ("fit", "--method", "mean_grey", *where, "--out", out)
    line = refused(capsys, *words, "--mean_grey.least_sprad", "1")
    assert "--mean_grey.least_sprad: unknown key, did you mean least_spread?" in line
    line = refused(capsys, *words, "--size", "1")
    assert "--size: unknown key, expected one of least_spread" in line
    line = refused(capsys, *words, "--sequential_patchcore.size", "9")
    assert "the method is mean_grey, expected --mean_grey.KEY" in line
    assert "--least-spread: -2, expected above 0" in refused(capsys, *words, "--least-spread", "-2")
    line = refused(capsys, "fit", *where, "--method", "mean_gray", "--out", out)
    assert "--method: mean_gray, expected one of " in line
    assert not out.exists()
