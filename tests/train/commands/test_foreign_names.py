"""Names that are no UTF-8, of pictures, classes and categories, in all commands and in Python."""

import os
import shutil

import pytest
from support.command_lines import run

from train.api import Detector
from train.detectors.model_file import read

CATEGORY, CLASS = os.fsdecode(b"pl\xe4tte"), os.fsdecode(b"\xb2\xe2")


@pytest.fixture(scope="module")
def foreign(data, tmp_path_factory):
    """The dataset `plate` with such names and without a validation split."""
    root = tmp_path_factory.mktemp("foreign")
    shutil.copytree(data / "plate", root / CATEGORY)
    for kind in ("test", "ground_truth"):
        (root / CATEGORY / kind / "scratch").rename(root / CATEGORY / kind / CLASS)
    good = root / CATEGORY / "train/good"
    (good / "0.png").rename(good / f"{CLASS}.png")
    return root


def test_every_command_takes_them(foreign, tmp_path, capsysbinary):
    where = ["--data", foreign, "--category", CATEGORY]
    model, other = tmp_path / f"{CLASS}.safetensors", tmp_path / "other.safetensors"
    fit = ["fit", *where, "--size", 50, "--epochs", 1, "--out"]
    assert run(capsysbinary, *fit, model)[0] == 0
    assert read(model).metadata["fits"][0]["datasets"] == [CATEGORY]
    code, lines, _ = run(capsysbinary, *fit, model)
    assert code == 0 and b"finished already" in lines[0]
    held = ["--model", model, *where, "--hold-out", 0.5]
    assert run(capsysbinary, "threshold", *held)[0] == 0
    assert run(capsysbinary, "evaluate", *held, "--out", tmp_path / "out", "--keep-maps")[0] == 0
    assert run(capsysbinary, *fit, other, "--seed", 1)[0] == 0
    assert run(capsysbinary, "meld", model, other, "--out", tmp_path / "melded.safetensors")[0] == 0
    continued = tmp_path / "continued.safetensors"
    assert run(capsysbinary, *fit, continued, "--from", model)[0] == 0


def test_python_takes_them(foreign, tmp_path):
    picture = foreign / CATEGORY / "train/good" / f"{CLASS}.png"
    detector = Detector("sequential_patchcore", size=50, epochs=1).fit([picture])
    detector.save(tmp_path / "a.safetensors")
    again = Detector.load(tmp_path / "a.safetensors").fit(data=foreign, category=CATEGORY)
    again.save(tmp_path / "b.safetensors")
    loaded = Detector.load(tmp_path / "b.safetensors")
    assert loaded.score(picture).value == again.score(picture).value
