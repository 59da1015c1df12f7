"""The model file: what it holds, what it refuses, and the coreset files of before."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from support.check_detector import brushed, samples, small_context

from stainless.errors import InputError
from train.detectors import model_file
from train.detectors.detector import Trainset, method
from train.detectors.fitting import fit_file
from train.detectors.model_file import Model, read
from train.detectors.sequential_patchcore.coreset import Coreset

OLD = Path(__file__).parents[2] / "first_edition" / "model.safetensors"
NAME = "sequential_patchcore"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "m.safetensors"
    settings = method(NAME).settings(size=50, epochs=1)
    fit_file(file, NAME, settings, [Trainset("metal", samples(range(2)))], small_context())
    return file


def rewritten(source, target, **changes):
    """Write a model file with other content and a checksum that agrees."""
    stored = read(source)
    content = {
        "format": model_file.FORMAT,
        "version": model_file.VERSION,
        "method": stored.method,
        "settings": stored.settings,
        "state": stored.state,
        "metadata": stored.metadata,
        "thresholds": stored.thresholds,
        **changes,
    }
    content["sha256"] = model_file._checksum(stored.arrays, content)
    save_file(stored.arrays, target, {model_file.FORMAT: json.dumps(content)})
    return target


def test_it_holds_all_that_is_needed_and_nothing_that_runs(path):
    stored = read(path)
    assert stored.method == NAME and stored.settings["size"] == 50
    assert stored.settings["stages"] == [3, 4]
    (fit,) = stored.metadata["fits"]
    assert fit["datasets"] == ["metal"] and fit["images"] == [2] and fit["finished"] is True
    assert stored.thresholds == {} and stored.arrays["members"].shape == (50, 152)
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"version": 2},
            "is of version 2 of the model format, this program reads versions up to 1",
        ),
        ({"version": None}, "is of version None of the model format"),
        ({"method": "telepathy"}, "was made by the method telepathy, expected one of "),
        ({"settings": {"sise": 3}}, "sise: unknown key, did you mean size?"),
        ({"settings": {"size": "3"}}, "size: '3', expected a whole number"),
        ({"state": {}}, "the coreset is incomplete: 'size'"),
    ],
)
def test_content_that_cannot_be_used_is_one_line(path, tmp_path, changes, line):
    file = rewritten(path, tmp_path / "m.safetensors", **changes)
    with pytest.raises(InputError) as caught:
        Model.load(file, small_context())
    assert str(caught.value).startswith(f"{file}: ") and line in str(caught.value)


def test_every_changed_byte_is_noticed(path, tmp_path):
    whole, file = path.read_bytes(), tmp_path / "m.safetensors"
    for place in np.random.default_rng(0).integers(0, len(whole), 60):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        file.write_bytes(damaged)
        with pytest.raises(InputError):
            Model.load(file, small_context())
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a model file, or truncated"):
        read(file)


def test_files_of_others_are_refused(tmp_path):
    file = tmp_path / "m.safetensors"
    save_file({"x": np.zeros(3)}, file, {"format": "pt"})
    with pytest.raises(InputError, match="is no model file, format 'pt'"):
        read(file)
    file.write_text("text")
    with pytest.raises(InputError, match="not a model file"):
        read(file)


def test_a_coreset_file_of_before_is_a_model(tmp_path):
    old = read(OLD)
    assert old.method == NAME
    assert old.settings.keys() == {
        *("size", "epochs", "backbone", "stages", "pool_kernel", "pool_stride")
    }
    threshold = old.thresholds["pixel"]
    assert threshold["value"] == pytest.approx(59.0372, rel=1e-4)
    assert threshold["rule"] == "pixel-f1" and threshold["fingerprints"]
    model = Model.load(OLD, small_context())
    file = tmp_path / "new.safetensors"
    model.save(file)
    again = Model.load(file, small_context())
    assert again.thresholds == old.thresholds and again.metadata == old.metadata
    assert np.array_equal(again.detector.coreset.members, model.detector.coreset.members)
    assert again.detector.coreset.origin(0) == model.detector.coreset.origin(0)
    (found,), (expected,) = (m.detector.score([brushed(7)]) for m in (again, model))
    assert np.array_equal(found.map, expected.map)


def test_a_threshold_of_before_holds_until_the_members_changed(path, tmp_path):
    coreset = Model.load(path, small_context()).detector.coreset
    file = tmp_path / "old.safetensors"
    coreset.history.append({"event": "threshold", "threshold": 2.5, "f1": 0.5})
    coreset.save(file)
    assert read(file).thresholds == {"pixel": {"value": 2.5, "rule": "pixel-f1", "f1": 0.5}}
    coreset.history.append({"event": "epoch"})
    coreset.save(file)
    assert read(file).thresholds == {}
    Coreset(4, identity={"made": "elsewhere"}).save(file)
    with pytest.raises(InputError, match="does not say its 'backbone'"):
        read(file)


def test_an_interrupted_fit_of_before_goes_on(path, tmp_path):
    """The same members as a fit that was never interrupted, in a file of today."""
    pictures = [Trainset("metal", samples(range(2)))]
    more = method(NAME).settings(size=50, epochs=3)
    whole, old = tmp_path / "whole.safetensors", tmp_path / "old.safetensors"
    shutil.copy(path, whole)
    Model.load(path, small_context()).detector.coreset.save(old)
    for file in (whole, old):
        assert fit_file(file, NAME, more, pictures, small_context())
        assert not fit_file(file, NAME, more, pictures, small_context())
    assert whole.read_bytes() == old.read_bytes()
    assert len([e for e in read(old).state["history"] if e["event"] == "epoch"]) == 3


def test_learning_more_removes_the_thresholds(path, tmp_path):
    file, pictures = tmp_path / "m.safetensors", [Trainset("metal", samples(range(2)))]
    model = Model.load(path, small_context())
    model.thresholds["pixel"] = {"value": 1.0, "rule": "pixel-f1"}
    model.save(file)
    fit_file(file, NAME, model.settings, pictures, small_context())
    assert read(file).thresholds == model.thresholds
    fit_file(file, NAME, method(NAME).settings(size=50, epochs=2), pictures, small_context())
    assert read(file).thresholds == {}
