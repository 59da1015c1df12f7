"""Patch features: shapes, places, invariances, and refusal of what cannot be right."""

import numpy as np
import pytest
import torch

from stainless.errors import InputError
from train.backbones.pyramid import MARGIN
from train.features import FeatureExtractor


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


def test_a_backbone_of_timm_fills_the_same_grid(tmp_path):
    """Random weights, written to files that say so."""
    import timm

    identities = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        file = tmp_path / f"{seed}.pth"
        torch.save(timm.create_model("resnet18", pretrained=False).state_dict(), file)
        ours = FeatureExtractor("timm:resnet18", stages=(2, 3), weights=file)
        assert ours(picture(100, 131)).shape == (1, 25, 33, 64 + 128)
        assert (ours.dimension, ours.pitch, ours.first_centre) == (192, 4, 0.0)
        identities.append(ours.identity())
    first, second = identities
    assert first["backbone"] == "timm:resnet18" and first["mean"] == [0.485, 0.456, 0.406]
    assert first.pop("weights") != second.pop("weights") and first == second


def test_bad_images_are_refused(extractor):
    with pytest.raises(InputError, match="60x80 pixels is too small"):
        extractor(picture(80, 60))
    with pytest.raises(InputError, match="not finite"):
        extractor(torch.full((1, 3, 96, 96), float("nan")))
    with pytest.raises(InputError, match="shape"):
        extractor(torch.zeros(3, 96, 96))


def test_features_can_enter_a_loss_where_that_is_asked(extractor):
    image = picture(96, 96)
    factor = torch.ones(extractor.dimension, requires_grad=True)
    features = extractor(image, for_loss=True)
    assert not features.requires_grad and torch.equal(features, extractor(image))
    (features * factor).sum().backward()
    torch.testing.assert_close(factor.grad, features.sum(dim=(0, 1, 2)))
    with pytest.raises(RuntimeError, match="Inference tensors"):
        (extractor(image) * factor).sum().backward()


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
