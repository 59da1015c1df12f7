"""A model with a guarantee and the file that it is exported to; tracing takes seconds."""

from dataclasses import replace

import pytest
import torch
from support.check_detector import samples, small_context

from stainless import cli
from train.detectors.detector import Trainset, method
from train.detectors.fitting import fit_file
from train.detectors.model_file import Model

#: Two stages of different grids, and the fewest layers.
SMALL = {"size": 600, "epochs": 1, "stages": (1, 2)}


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def model(one_thread, tmp_path_factory):
    path = tmp_path_factory.mktemp("runtimes") / "model.safetensors"
    name = "sequential_patchcore"
    settings = replace(method(name).settings(), **SMALL)
    fit_file(path, name, settings, [Trainset("metal", samples(range(3)))], small_context())
    fitted = Model.load(path)
    scores = [fitted.detector.score([sample.load()])[0].value for sample in samples(range(3, 25))]
    fitted.thresholds["picture"] = {
        "value": max(scores) * 1.01,
        "rule": "guarantee",
        "calibration": scores,
    }
    fitted.thresholds["pixel"] = {"value": max(scores), "rule": "false-alarms"}
    fitted.save(path)
    return path


@pytest.fixture(scope="session")
def exported(model, tmp_path_factory):
    pytest.importorskip("onnxscript")
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    assert cli.main(["export", "--model", str(model), "--to", "onnx", "--out", str(path)]) == 0
    return path
