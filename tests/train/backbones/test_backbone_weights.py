"""Weights of backbones: the right ones, all of them, or one line that says what is missing."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file
from support.threads import one_thread  # noqa: F401

from stainless.errors import InputError
from train.backbones import Stages, known, published_weights


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """A file of random weights that says so: (file, network)."""
    import timm

    torch.manual_seed(0)
    network = timm.create_model("resnet18", pretrained=False).eval()
    file = tmp_path_factory.mktemp("weights") / "resnet18.safetensors"
    save_file(network.state_dict(), file)
    return file, network


def test_the_weights_of_today_keep_their_names():
    assert Stages("efficientnet_lite0", (3, 4), None).weight_hash.startswith("aa6a358e4bcf696e")


def test_torchvision_names_give_the_same_network(tmp_path):
    torchvision = pytest.importorskip("torchvision")
    model = torchvision.models.mobilenet_v3_large().eval()
    file = tmp_path / "mobilenet.pth"
    torch.save(model.state_dict(), file)
    ours = Stages("mobilenet_v3_large", (3, 4), file)
    image = torch.randn(1, 3, 128, 128)
    with torch.inference_mode():
        stage_3 = model.features[:7](image)
        stage_4 = model.features[7:13](stage_3)
        found = ours(image)
    torch.testing.assert_close(found[0], stage_3, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found[1], stage_4, rtol=1e-3, atol=1e-4)


def test_a_file_fills_a_backbone_of_timm(resnet):
    file, network = resnet
    image = torch.randn(1, 3, 96, 128)
    with torch.inference_mode():
        stem = network.maxpool(network.act1(network.bn1(network.conv1(image))))
        stage_3 = network.layer2(network.layer1(stem))
        found = Stages("timm:resnet18", (3, 4), file)(image)
        torch.testing.assert_close(found[0], stage_3, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(found[1], network.layer3(stage_3), rtol=1e-3, atol=1e-4)


def test_another_head_is_no_matter_but_a_missing_layer_is(resnet, tmp_path):
    file, network = resnet
    state = network.state_dict()
    fine_tuned = tmp_path / "fine_tuned.pth"
    torch.save({**state, "fc.weight": torch.randn(7, 512), "fc.bias": torch.randn(7)}, fine_tuned)
    expected = Stages("timm:resnet18", (3, 4), file).weight_hash
    assert Stages("timm:resnet18", (3, 4), fine_tuned).weight_hash == expected
    del state["layer2.1.conv1.weight"]
    partial = tmp_path / "partial.pth"
    torch.save(state, partial)
    with pytest.raises(InputError, match=r"partial.pth: does not hold the weights of timm:resnet1"):
        Stages("timm:resnet18", (3, 4), partial)
    assert Stages("timm:resnet18", (2,), partial), "a layer that is cut off need not be there"


def test_weights_of_another_network_are_refused(resnet, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x00" * 100)
    with pytest.raises(InputError, match="not a readable weight file"):
        Stages("efficientnet_lite0", (3, 4), broken)
    stranger = tmp_path / "stranger.safetensors"
    save_file({"a": torch.zeros(3)}, stranger)
    for name in ("efficientnet_lite0", "timm:resnet18"):
        with pytest.raises(InputError, match=f"does not hold the weights of {name}"):
            Stages(name, (3, 4), stranger)
    with pytest.raises(InputError, match="does not hold the weights"):
        Stages("mobilenet_v3_large", (3, 4), published_weights("efficientnet_lite0"))
    for name in ("timm:resnet34", "timm:resnet50"):
        with pytest.raises(InputError, match=f"does not hold the weights of {name}"):
            Stages(name, (3, 4), resnet[0])


def test_a_weight_file_never_runs_code(tmp_path):
    marker = tmp_path / "ran"
    code = (
        "import pickle, pathlib, sys\n"
        "class Evil:\n"
        "    def __reduce__(self):\n"
        f"        return (pathlib.Path.touch, (pathlib.Path({str(marker)!r}),))\n"
        f"pickle.dump(Evil(), open({str(tmp_path / 'evil.pth')!r}, 'wb'))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    for name in ("efficientnet_lite0", "timm:resnet18"):
        with pytest.raises(InputError, match="not a readable weight file"):
            Stages(name, (3, 4), tmp_path / "evil.pth")
    assert not marker.exists()


@pytest.mark.parametrize("name", ["mobilenet_v3_large", "timm:resnet18", "timm:resnet18.tv_in1k"])
def test_missing_hub_weights_are_one_line_that_says_how_to_get_them(name, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=rf"weights missing .*{known(name).hub} and .*--weights"):
        Stages(name, (3, 4), None)


def test_a_hub_that_cannot_be_reached_is_asked_once(monkeypatch, tmp_path):
    from huggingface_hub import constants

    asked = []

    def unreachable(question, timeout):
        asked.append(question.full_url)
        raise OSError("no route")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(InputError, match="the hub cannot be reached: no route"):
        published_weights("timm:resnet18")
    assert len(asked) == 1 and "timm/resnet18.a1_in1k" in asked[0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet18", r"unknown backbone 'resnet18', expected one of .* or timm:<architecture>"),
        ("timm:resnet1", "did you mean timm:.*resnet1"),
        ("timm:hf-hub:someone/something", "unknown backbone"),
        ("timm:resnet18.nobody", "no such weights"),
        ("timm:vit_tiny_patch16_224", "has no pyramid of stages"),
        ("timm:swin_tiny_patch4_window7_224", "no grids of cells over a picture"),
        ("timm:inception_v3", "no grids of cells over a picture"),  # pads nothing
    ],
)
def test_what_is_no_backbone_is_refused(name, message):
    with pytest.raises(InputError, match=message) as error:
        Stages(name, (3, 4), "random")
    assert "\n" not in str(error.value)


def test_a_stage_that_a_network_does_not_have_is_refused():
    with pytest.raises(InputError, match="timm:convnext_atto has the stages 2, 3, 4, 5"):
        Stages("timm:convnext_atto", (1, 3), "random")
