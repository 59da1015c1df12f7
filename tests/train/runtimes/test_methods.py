"""What else can be exported: every way to score, scaled pictures, other methods."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from support.check_detector import samples, small_context

from stainless.errors import InputError
from train.backbones.traced_scaling import scaled
from train.detectors.detector import Trainset, method
from train.detectors.model_file import Model
from train.runtimes.contract import Comparison
from train.runtimes.detector import ExportedDetector
from train.runtimes.engine import engines
from train.runtimes.export import exported, held, report_lines
from train.runtimes.references import texture

#: Name of a method, and settings that use all that its graph can be made of.
METHODS = {
    "sequential_patchcore": {
        "size": 100,
        "epochs": 1,
        "stages": (2,),
        "scale": 0.75,
        "neighbours": 3,
        "reweighting": 2,
        "density": 2,
        "top_share": 0.01,
    },
    "simplenet": {"stages": (1,), "epochs": 1, "crop_px": None, "blur_px": 2.0},
}


def fitted(name, **settings):
    model = Model.new(name, replace(method(name).settings(), **settings), small_context())
    model.detector.fit([Trainset("metal", samples(range(2)))])
    return model


@pytest.mark.parametrize("name", METHODS)
def test_every_way_to_score_keeps_the_contract(name):
    pytest.importorskip("onnxscript")
    model = fitted(name, **METHODS[name])
    file = exported(model, "openvino")
    assert held(file), list(report_lines(file))
    assert file.report["cannot_be_held"] == []
    for engine in engines().values():
        comparison = Comparison()
        pictures = [texture(*size, 9) for size in ((80, 131), (80, 131), (97, 83), (200, 71))]
        detector = ExportedDetector(file, engine)
        for wanted, found in zip(
            model.detector.score(pictures), detector.score(pictures), strict=True
        ):
            comparison.add(wanted, found)
        assert comparison.held and comparison.map_share <= 1, comparison.line()


def test_what_cannot_be_exported_names_method_or_setting():
    model = fitted("simplenet", **METHODS["simplenet"], image_px=80)
    with pytest.raises(InputError, match=r"simplenet\.image_px: 80, expected null for an export"):
        exported(model, "onnxruntime")
    model.detector = object()
    with pytest.raises(InputError, match="a model of simplenet cannot be exported"):
        exported(model, "onnxruntime")


@given(st.sampled_from([0.5, 0.75, 0.9, 1.1, 4 / 3, 1.5, 2.0, 3.0]), st.integers(20, 90))
def test_traced_scaling_is_torchs(scale, length):
    picture = torch.rand(1, 2, length, 131, generator=torch.Generator().manual_seed(length))
    wanted = F.interpolate(
        picture,
        scale_factor=scale,
        mode="bilinear",
        antialias=scale < 1,
        recompute_scale_factor=False,
    )
    torch.testing.assert_close(scaled(picture, scale), wanted, rtol=0, atol=1e-5)
