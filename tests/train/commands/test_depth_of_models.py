"""A model keeps the depth of what it learned, however it comes about."""

import json

import numpy as np
import pytest
from support.command_lines import brushed, refused, run, write

from stainless.errors import InputError
from train.api import Detector
from train.detectors.model_file import read

TWELVE = {"bits": 16, "white_level": 4095}
FIT = ["--size", 50, "--epochs", 1]


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """A dataset of 12 bits in 16, and one of 8."""
    root = tmp_path_factory.mktemp("camera")
    for number in range(2):
        write(root / f"raw/train/good/{number}.png", brushed(number).astype(np.uint16) * 16)
        write(root / f"eight/train/good/{number}.png", brushed(number))
    return root


@pytest.fixture(scope="module")
def models(camera, tmp_path_factory):
    """Models of both."""
    folder = tmp_path_factory.mktemp("models")
    detector = Detector("sequential_patchcore", size=50, epochs=1)
    detector.fit(data=camera, category="raw", white_level=4095).save(folder / "raw")
    detector = Detector("sequential_patchcore", size=50, epochs=1)
    detector.fit(data=camera, category="eight").save(folder / "eight")
    return folder


def test_a_melding_keeps_it(camera, models, tmp_path, capsys):
    out = tmp_path / "melded"
    assert run(capsys, "meld", models / "raw", models / "raw", "--out", out)[0] == 0
    assert read(out).metadata["depth"] == TWELVE
    picture = camera / "raw/train/good/0.png"
    scores = {}
    for told in ((), ("--white-level", 4095)):
        words = ["score", "--model", out, picture, "--threshold", 1, "--out", tmp_path / "out"]
        code, lines, _ = run(capsys, *words, *told)
        assert code == 0
        scores[told] = json.loads(lines[0])["score"]
    assert len({*scores.values()}) == 1


def test_models_of_different_depth_do_not_meld(models, tmp_path, capsys):
    out = tmp_path / "melded"
    line = refused(capsys, "meld", models / "raw", models / "eight", "--out", out)
    assert f"{models / 'eight'}: has learned pictures of 8 bits" in line and not out.exists()


def test_a_model_goes_on_at_its_depth(camera, models, tmp_path, capsys):
    out, where = tmp_path / "more", ["fit", "--data", camera, *FIT, "--seed", 1]
    base = ["--from", models / "raw", "--out", out]
    line = refused(capsys, *where, "--category", "eight", *base)
    assert "has 8 bits with white at 255, but the model learned" in line and not out.exists()
    code, _, errors = run(capsys, *where, "--category", "raw", *base)
    assert code == 0 and not any("white" in line for line in errors)
    assert read(out).metadata["depth"] == TWELVE
    assert "finished" in run(capsys, *where, "--category", "raw", *base)[1][0]
    code, _, errors = run(capsys, *where, "--category", "raw", *base[:-1], out, "--white-level", 99)
    assert code == 2 and len(errors) == 1


def test_so_it_does_in_python(camera, models):
    detector = Detector.load(models / "raw")
    before = detector.score(brushed(7)).value
    with pytest.raises(InputError, match="8 bits with white at 255, but the model learned"):
        detector.fit(data=camera, category="eight")
    assert detector.score(brushed(7)).value == before
    detector.fit([camera / "raw/train/good/1.png"]).fit([brushed(3)])
    assert detector._model.metadata["depth"] == TWELVE
