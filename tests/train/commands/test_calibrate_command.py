"""`stainless calibrate`, and what the other commands say with a calibration."""

import json
import shutil

import numpy as np
import pytest
from support.command_lines import brushed, refused, run, write

from train.api import Detector
from train.detectors.model_file import Model, read


@pytest.fixture(scope="module")
def calibrated(data, model, tmp_path_factory):
    """A copy of the model, with a calibration."""
    from stainless import cli

    path = tmp_path_factory.mktemp("calibrated") / "plate.safetensors"
    shutil.copyfile(model, path)
    where = ["--data", str(data), "--category", "plate"]
    assert cli.main(["calibrate", "--model", str(path), *where, "--method", "platt"]) == 0
    return path


def test_a_model_carries_its_calibration(calibrated, model):
    before, after = read(model), read(calibrated)
    assert before.calibration == {} and after.thresholds == before.thresholds
    assert after.calibration["chosen"] == "platt" and after.calibration["split"] == "validation"
    assert (after.calibration["images"], after.calibration["good"]) == (4, 2)
    assert set(after.calibration["curves"]) == {"platt", "bounded", "isotonic", "histogram"}
    again = Model.load(calibrated)
    again.save(calibrated)
    assert read(calibrated).calibration == after.calibration


def test_it_says_what_it_has_done(data, model, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    shutil.copyfile(model, path)
    where = ["--data", data, "--category", "plate"]
    code, lines, _ = run(capsys, "calibrate", "--model", path, *where)
    assert code == 0 and "calibrated by the curve bounded on 4 validation images" in lines[0]
    assert "expected calibration error" in lines[0] and "Brier score" in lines[0]
    low, high = read(path).calibration["curves"]["bounded"]["low"], lines[1].split()[-3]
    assert 0 < low < 0.5 < float(high) < 1 and f"{low:.3f} below all scores" in lines[1]


def test_score_prints_a_probability_beside_the_score(data, calibrated, model, tmp_path, capsys):
    words = ["score", data / "plate/test", "--out", tmp_path]
    _, lines, _ = run(capsys, *words, "--model", calibrated)
    found = {line["image"].split("/")[-2]: line for line in map(json.loads, lines)}
    assert list(found["good"]).index("probability") == list(found["good"]).index("score") + 1
    assert 0 < found["good"]["probability"] < 0.5 < found["scratch"]["probability"] < 1
    result = Detector.load(calibrated).score(found["scratch"]["image"])
    assert result.probability == pytest.approx(found["scratch"]["probability"], rel=1e-4)
    _, lines, _ = run(capsys, *words, "--model", model)
    assert all("probability" not in json.loads(line) for line in lines)
    assert Detector.load(model).score(found["scratch"]["image"]).probability is None


def test_evaluate_says_how_well_it_is_calibrated(data, calibrated, model, tmp_path, capsys):
    where = ["--data", data, "--category", "plate", "--out", tmp_path]
    code, lines, errors = run(capsys, "evaluate", "--model", calibrated, *where)
    assert code == 0 and not any("warning" in line for line in errors)
    start = next(n for n, line in enumerate(lines) if line.startswith("calibration by the curve"))
    assert "platt, fitted to 4 validation images" in lines[start]
    assert lines[start + 2].startswith("platt") and len(lines) == start + 6
    result = json.loads((tmp_path / "metrics.json").read_text())
    chosen = result["calibration"]["curves"]["platt"]
    chances = np.array([row["probability"] for row in result["per_image"]])
    defective = np.array([row["defective"] for row in result["per_image"]])
    assert chosen["brier"] == pytest.approx(((chances - defective) ** 2).mean())
    assert "probability" in (tmp_path / "per_image.csv").read_text().splitlines()[0]
    assert (tmp_path / "reliability.svg").read_text().startswith("<svg")
    _, lines, errors = run(
        capsys, "evaluate", "--model", calibrated, *where, "--split", "validation"
    )
    assert any("the calibration was fitted to 4 of these 4 images" in line for line in errors)
    run(capsys, "evaluate", "--model", model, *where)
    assert not (tmp_path / "reliability.svg").exists()


def test_one_class_only(data, model, tmp_path, capsys):
    for kind, expected in (("good", "defective ones, too"), ("scratch", "good ones, too")):
        root = tmp_path / kind
        shutil.copytree(
            data / f"validation/plate/test/{kind}", root / f"validation/plate/test/{kind}"
        )
        if kind != "good":
            truth = f"validation/plate/ground_truth/{kind}"
            shutil.copytree(data / truth, root / truth)
        write(root / "plate/train/good/0.png", brushed(0))
        before = model.read_bytes()
        line = refused(capsys, "calibrate", "--model", model, "--data", root, "--category", "plate")
        assert "pictures only" in line and expected in line
        assert model.read_bytes() == before


def test_learning_more_forgets_it(data, calibrated, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    words = ["fit", "--data", data, "--category", "turned", "--from", calibrated, "--out", path]
    assert run(capsys, *words)[0] == 0
    assert read(path).calibration == {} and read(path).thresholds == {}
