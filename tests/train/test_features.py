"""Patch features: shapes, places, invariances, and refusal of what cannot be right."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from stainless.errors import InputError
from train.backbones import Stages, _fold_batch_norm, published_weights
from train.features import MARGIN, FeatureExtractor


@pytest.fixture(scope="module")
def extractor():
    return FeatureExtractor()


def picture(height, width, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (1, channels, height, width), dtype=np.uint8))


@pytest.mark.parametrize(("height", "width"), [(67, 67), (100, 131), (256, 256)])
def test_the_grid_covers_any_size(extractor, height, width):
    features = extractor(picture(height, width))
    assert features.shape == (1, -(-height // 8), -(-width // 8), 152)
    assert features.dtype == torch.float32 and torch.isfinite(features).all()


def test_grey_is_colour_with_equal_channels_and_bytes_are_floats_over_255(extractor):
    grey = picture(96, 96, channels=1)
    expected = extractor(grey)
    assert torch.equal(expected, extractor(grey.expand(-1, 3, -1, -1)))
    assert torch.equal(expected, extractor(grey / 255))


def test_images_of_a_batch_do_not_touch_each_other(extractor):
    one, two = picture(96, 112, seed=1), picture(96, 112, seed=2)
    both = extractor(torch.cat([one, two]))
    torch.testing.assert_close(both[:1], extractor(one), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(both[1:], extractor(two), rtol=1e-4, atol=1e-4)


def test_pooling_with_a_stride_takes_every_second_patch(extractor):
    coarse = FeatureExtractor(pool_stride=2)
    fine, half = extractor(picture(160, 160)), coarse(picture(160, 160))
    assert half.shape == (1, 10, 10, 152)
    assert coarse.pitch == 2 * extractor.pitch == 16
    torch.testing.assert_close(half, fine[:, ::2, ::2], rtol=1e-4, atol=1e-4)


def test_borders_look_like_the_surface_itself(extractor):
    """Where the texture simply goes on, a patch at the border is no stranger to the others."""
    image = picture(16, 16, seed=4).repeat(1, 1, 12, 12)

    def strangeness(grid):
        inside = grid[5:-5, 5:-5].reshape(-1, grid.shape[-1])
        border = torch.cat([grid[0, 5:-5], grid[-1, 5:-5], grid[5:-5, 0], grid[5:-5, -1]])
        return torch.cdist(border, inside).amin(dim=1).max()

    network = extractor.network
    with_zeros = network.stages((image / 255 - network.mean) / network.std)[0][0].permute(1, 2, 0)
    assert strangeness(extractor(image)[0, ..., :40]) < 0.6 * strangeness(with_zeros)


@pytest.mark.parametrize("size", [160, 203])
def test_patches_see_what_lies_at_their_centre(extractor, size):
    """The centre of what moves a patch's value is where the anomaly map will put it."""
    network = extractor.network
    image = (picture(size, size).float() / 255).clone().requires_grad_(True)
    cell = 12
    normalised = (image - network.mean) / network.std
    padded = torch.nn.functional.pad(normalised, network.margins(size, size), "reflect")
    margin = MARGIN // 8
    found = network.stages(padded)[0][0, :, margin + cell, margin + cell]
    influence = torch.zeros(size)
    for value in found[::5]:
        (gradient,) = torch.autograd.grad(value, image, retain_graph=True)
        influence += gradient[0].square().sum(dim=(0, 2))
    centre = float((influence * torch.arange(size)).sum() / influence.sum())
    assert centre == pytest.approx(extractor.first_centre + cell * 8, abs=1.5)


def test_folding_batch_norm_changes_nothing_but_rounding():
    import timm

    whole = timm.create_model("tf_efficientnet_lite0").eval()
    for module in whole.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    image = picture(96, 96).float() / 255
    with torch.inference_mode():
        expected = whole.blocks[:3](whole.bn1(whole.conv_stem(image)))
    _fold_batch_norm(whole)
    with torch.inference_mode():
        folded = whole.blocks[:3](whole.bn1(whole.conv_stem(image)))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in whole.blocks[:3].modules())
    torch.testing.assert_close(folded, expected, rtol=1e-3, atol=1e-4)


def test_the_default_weights_are_the_published_ones(extractor):
    assert extractor.identity()["weights"].startswith("aa6a358e4bcf696e")


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


def test_identity_tells_weights_and_settings_apart(extractor):
    same = FeatureExtractor().identity()
    assert same == extractor.identity()
    others = [
        FeatureExtractor(pool_kernel=1).identity(),
        FeatureExtractor(stages=(3,)).identity(),
        FeatureExtractor(weights="random").identity(),
    ]
    assert all(other != same for other in others)


def test_openvino_agrees_with_torch(extractor):
    pytest.importorskip("openvino")
    fast = FeatureExtractor(accelerator="openvino")
    for size in ((96, 128), (128, 96)):
        expected = extractor(picture(*size))
        torch.testing.assert_close(fast(picture(*size)), expected, rtol=1e-3, atol=1e-3)


def test_bad_images_are_refused(extractor):
    with pytest.raises(InputError, match="60x80 pixels is too small"):
        extractor(picture(80, 60))
    with pytest.raises(InputError, match="not finite"):
        extractor(torch.full((1, 3, 96, 96), float("nan")))
    with pytest.raises(InputError, match="shape"):
        extractor(torch.zeros(3, 96, 96))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbone": "resnet"}, "unknown backbone 'resnet'"),
        ({"stages": (3, 7)}, "stages"),
        ({"pool_kernel": 2}, "odd kernel"),
        ({"accelerator": "abacus"}, "unknown accelerator"),
        ({"weights": "nowhere.pth"}, "no such weight file"),
    ],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        FeatureExtractor(**arguments)


def test_a_weight_file_of_something_else_is_refused(tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x00" * 100)
    with pytest.raises(InputError, match="not a readable weight file"):
        FeatureExtractor(weights=broken)
    stranger = tmp_path / "stranger.safetensors"
    save_file({"a": torch.zeros(3)}, stranger)
    with pytest.raises(InputError, match="does not hold the weights of efficientnet_lite0"):
        FeatureExtractor(weights=stranger)
    with pytest.raises(InputError, match="does not hold the weights"):
        FeatureExtractor("mobilenet_v3_large", weights=published_weights("efficientnet_lite0"))


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
    with pytest.raises(InputError, match="not a readable weight file"):
        FeatureExtractor(weights=tmp_path / "evil.pth")
    assert not marker.exists()


def test_missing_hub_weights_are_one_line_that_says_how_to_get_them(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"weights missing .*--weights"):
        published_weights("mobilenet_v3_large")
