"""What else can be exported: every way to score, scaled pictures, other methods."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from support.check_detector import samples, small_context

from stainless.errors import InputError
from train.backbones.picture_network import PictureNetwork
from train.backbones.scaled import ScaledNetwork
from train.backbones.traced_scaling import scaled
from train.detectors.detector import Trainset, method
from train.detectors.exportable import Graph
from train.detectors.model_file import Model
from train.runtimes.contract import Comparison
from train.runtimes.detector import ExportedDetector
from train.runtimes.engine import engines
from train.runtimes.export import exported, held, report_lines
from train.runtimes.references import texture
from train.runtimes.trace import to_onnx

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


@given(st.sampled_from([0.5, 0.7, 0.9, 1.1, 4 / 3, 1.5, 2.0, 3.0]), st.integers(20, 100))
def test_traced_scaling_is_that_of_a_scaled_network(scale, length):
    picture = torch.rand(1, 3, length, 131, generator=torch.Generator().manual_seed(length))
    network = ScaledNetwork(Seen(), scale)
    torch.testing.assert_close(scaled(picture, scale), network(picture), rtol=0, atol=1e-5)


class Seen(PictureNetwork):
    """Gives back what it sees."""

    channels, pitch, first_centre, smallest_image = (3,), 1, 0.0, 1

    def forward(self, images):
        return images


def test_a_factor_is_meant_as_it_is_written():
    assert ScaledNetwork(Seen(), 0.7)(torch.rand(1, 3, 90, 170)).shape == (1, 3, 63, 119)
    with pytest.raises(InputError, match=r"scale 1\.2345678: expected a fraction"):
        scaled(torch.rand(1, 3, 20, 20), 1.2345678)


class Embedding(torch.nn.Module):
    """A table of positions for pictures of any size, as transformers have it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("table", torch.rand(1, 3, 7, 9))

    def forward(self, pictures):
        size = [length // 4 for length in pictures.shape[1:3]]
        table = F.interpolate(self.table, size=size, mode="bicubic", antialias=True)
        return table * pictures.float().mean()


def test_embeddings_are_interpolated_as_by_torch():
    pytest.importorskip("onnxscript")
    module = Embedding()
    network = to_onnx(Graph(module, ("positions",), 16), "embedding")
    for engine in engines().values():
        run = engine.load(network)
        # Smaller than the table, as large, and larger; along both axes.
        for height, width in ((16, 144), (28, 36), (100, 21)):
            pictures = torch.full((1, height, width, 3), 3, dtype=torch.uint8)
            (found,) = run(pictures.numpy())
            torch.testing.assert_close(torch.from_numpy(found), module(pictures))
