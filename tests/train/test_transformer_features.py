"""Features of transformers and of joined networks: places, scale, windows, refusals, and a fit."""

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from support.check_detector import check_detector

from stainless.errors import InputError
from train.backbones.unit import unit_layers
from train.detectors import options
from train.feature_settings import Features
from train.features import FeatureExtractor

TINY = "timm:test_vit"
JOINED = f"{TINY}+timm:resnet18"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with random weights of two small networks, in files named as they are."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("random")
    for name in ("test_vit", "resnet18"):
        torch.save(timm.create_model(name, pretrained=False).state_dict(), folder / f"{name}.pth")
    return folder


@pytest.fixture(scope="module")
def tokens(folder):
    return FeatureExtractor(TINY, blocks=(1, 3), weights=folder)


@pytest.fixture(scope="module")
def joined(folder):
    return FeatureExtractor(JOINED, stages=(2, 3), blocks=(1, 3), weights=folder)


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (1, 3, height, width), dtype=np.uint8))


@pytest.mark.parametrize(("height", "width"), [(67, 131), (96, 112)])
def test_grids_cover_any_size(tokens, joined, height, width):
    found = tokens(picture(height, width))
    assert found.shape == (1, -(-height // 16), -(-width // 16), 128)
    assert (tokens.pitch, tokens.first_centre, tokens.smallest_image) == (16, 7.5, 16)
    both = joined(picture(height, width))
    assert both.shape == (1, -(-height // 4), -(-width // 4), 128 + 192)
    assert (joined.pitch, joined.first_centre, joined.dimension) == (4, 0.0, 320)


def test_every_layer_and_every_network_weighs_the_same(tokens, joined, folder):
    found = tokens(picture(96, 96))
    for layer in found.split(64, dim=-1):
        torch.testing.assert_close(layer.square().sum(-1), torch.full((1, 6, 6), 0.5))
        torch.testing.assert_close(layer.mean(-1), torch.zeros(1, 6, 6), atol=1e-6, rtol=0)
    both = joined(picture(96, 96))
    near = {"rtol": 1e-3, "atol": 0}
    stages = both[..., 128:]
    torch.testing.assert_close(stages.square().sum(-1), torch.full((1, 24, 24), 0.5), **near)
    # Between the tokens' centres the mean of two vectors is shorter than they are.
    assert both[..., :128].square().sum(-1).max() <= 0.5 + 1e-5
    uneven = FeatureExtractor(JOINED, stages=(2, 3), blocks=(1, 3), weights=folder, shares=(3, 1))
    torch.testing.assert_close(
        uneven(picture(96, 96))[..., 128:].square().sum(-1), torch.full((1, 24, 24), 0.25), **near
    )


def test_unit_layers_make_a_distance_of_a_correlation():
    rng = np.random.default_rng(0)
    one, two = rng.standard_normal((2, 7)) * 50 + 3
    pair = unit_layers(torch.from_numpy(np.stack([one, two])), [7])
    wanted = 2 - 2 * np.corrcoef(one, two)[0, 1]
    assert float((pair[0] - pair[1]).square().sum()) == pytest.approx(wanted, rel=1e-6)


def test_joined_tokens_lie_where_those_of_the_transformer_do(tokens, joined):
    """Linear interpolation between the centres, along both axes; the outer value beyond them."""
    alone = tokens(picture(96, 112))[0].numpy()
    found = joined(picture(96, 112))[0, ..., :128].numpy() * np.sqrt(2)
    down, across = (
        np.clip((np.arange(cells) * 4.0 - 7.5) / 16, 0, most) for cells, most in ((24, 5), (28, 6))
    )
    for row, column in [(0, 0), (3, 9), (11, 20), (23, 27)]:
        top, left = int(down[row]), int(across[column])
        below, right = min(top + 1, 5), min(left + 1, 6)
        y, x = down[row] - top, across[column] - left
        upper = alone[top, left] * (1 - x) + alone[top, right] * x
        lower = alone[below, left] * (1 - x) + alone[below, right] * x
        np.testing.assert_allclose(found[row, column], upper * (1 - y) + lower * y, atol=1e-5)


def test_a_stride_takes_every_second_patch(joined, folder):
    coarse = FeatureExtractor(JOINED, stages=(2, 3), blocks=(1, 3), weights=folder, pool_stride=2)
    fine, half = joined(picture(96, 112)), coarse(picture(96, 112))
    assert coarse.pitch == 8 and half.shape == (1, 12, 14, 320)
    torch.testing.assert_close(half, fine[:, ::2, ::2], atol=1e-5, rtol=0)


def test_a_window_that_covers_all_sees_what_the_whole_picture_shows(tokens, folder):
    windowed = FeatureExtractor(TINY, blocks=(1, 3), weights=folder, window_px=96)
    torch.testing.assert_close(windowed(picture(96, 96)), tokens(picture(96, 96)))
    assert windowed.identity() != tokens.identity()


def test_windows_are_seen_one_at_a_time_whatever_the_size(folder):
    extractor = FeatureExtractor(TINY, weights=folder, window_px=64, window_stride_px=48)
    network, seen = extractor.network, []
    network.transformer.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape))
    found = extractor(picture(70, 200))
    assert found.shape == (1, 5, 13, 128)
    assert set(seen) == {(1, 3, 64, 64)} and len(seen) == 2 * 4
    inner = FeatureExtractor(TINY, weights=folder)(picture(70, 200)[..., :64, 144:])
    torch.testing.assert_close(found[:, :1, 12:], inner[:, :1, 3:], atol=1e-5, rtol=0)


@pytest.mark.parametrize("scale", [0.5, 2.0, 1.3])
def test_places_are_those_of_the_picture_as_it_is_however_it_is_scaled(folder, scale):
    extractor = FeatureExtractor(TINY, blocks=(0,), weights=folder, scale=scale)
    found = extractor(picture(112, 160))
    pitch = 16 / scale
    assert extractor.pitch == pytest.approx(pitch)
    # A cell's middle is that of the pixels which it is made of.
    assert extractor.first_centre == pytest.approx((pitch - 1) / 2)
    assert found.shape[1:3] == (-(-int(112 * scale) // 16), -(-int(160 * scale) // 16))
    _, _, width, height = extractor.grid.box(2, 3)
    assert width == height == round(pitch)


def test_scaling_by_one_and_convolutional_networks_alone_are_what_they_were():
    identity = FeatureExtractor(weights="random").identity()
    keys = ["backbone", "stages", "pool_kernel", "pool_stride", "margin", "mean", "std", "weights"]
    assert list(identity) == keys


def test_identities_tell_settings_apart_and_give_them_back(folder):
    given = Features(JOINED, (2, 3), 3, 2, (1, 3), 64, 32, 2.0, (3.0, 1.0))
    identity = FeatureExtractor.of(given, folder).identity()
    assert Features.of_identity(identity) == replace(given, shares=(0.75, 0.25))
    changes = {
        "blocks": (1, 2),
        "window_px": 80,
        "window_stride_px": 16,
        "scale": 1.0,
        "shares": (),
        "pool_stride": 1,
        "stages": (3,),
    }
    for key, value in changes.items():
        other = FeatureExtractor.of(replace(given, **{key: value}), folder).identity()
        assert other != identity, key
        promised = replace(given, **{key: value}).promised(identity)
        unset = value == () or value == 1.0
        assert unset or {**identity, **promised} != identity, key
    assert {**identity, **given.promised(identity)} == identity


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"blocks": (1,)}, "blocks .1.: efficientnet_lite0 has none"),
        ({"window_px": 64}, "window_px 64: efficientnet_lite0 has none"),
        ({"backbone": TINY, "blocks": (9,)}, "from 0 to 5"),
        ({"backbone": TINY, "window_px": 70}, "window_px 70: expected a multiple of 16"),
        ({"backbone": TINY, "window_stride_px": 16}, "expected window_px beside it"),
        (
            {"backbone": TINY, "window_px": 64, "window_stride_px": 80},
            "window_stride_px 80: expected .* no more than the window of 64",
        ),
        ({"backbone": f"{TINY}+{TINY}"}, "expected different networks"),
        ({"backbone": f"{TINY}+"}, "unknown backbone ''"),
        ({"backbone": JOINED, "shares": (1.0,)}, "shares .1.0.: expected .* each of 2"),
        ({"backbone": f"{TINY}+timm:test_vit2"}, "of different depth"),
        ({"scale": 0.0}, "scale 0.0: expected a number above 0"),
        ({"backbone": "timm:swin_tiny_patch4_window7_224"}, "no grids of cells"),
    ],
)
def test_what_cannot_be_used_is_one_line(settings, message):
    with pytest.raises(InputError, match=message) as error:
        FeatureExtractor(weights="random", **settings)
    assert "\n" not in str(error.value)


def test_a_picture_smaller_than_a_window_and_a_file_for_two_networks_are_refused(folder):
    windowed = FeatureExtractor(TINY, weights=folder, window_px=96)
    with pytest.raises(InputError, match=r"80x100 pixels is too small: a window of .* 96 pixels"):
        windowed(picture(100, 80))
    with pytest.raises(InputError, match="is no folder"):
        FeatureExtractor(JOINED, weights=folder / "test_vit.pth")


def test_options_name_blocks_as_they_name_stages():
    given = [("backbone", JOINED), ("blocks", "1, 3"), ("stages", "2, 3"), ("shares", "3, 1")]
    chosen = options.settings("sequential_patchcore", given)
    assert chosen.features == Features(JOINED, (2, 3), blocks=(1, 3), shares=(3.0, 1.0))


def test_weights_say_where_they_come_from(joined):
    tiny, resnet = joined.pretrained()
    assert (tiny["name"], tiny["file"], len(tiny["sha256"])) == (TINY, "test_vit.pth", 64)
    assert resnet["licence"] == "apache-2.0" and "huggingface.co/timm/resnet18" in resnet["origin"]


@pytest.mark.parametrize(
    "more",
    [
        {"backbone": TINY, "window_px": 64},
        {"backbone": JOINED, "stages": (3,), "pool_stride": 2, "scale": 1.25},
    ],
)
def test_a_coreset_of_such_features_keeps_every_promise(more, folder, tmp_path):
    check_detector("sequential_patchcore", tmp_path, folder, **more)


def test_a_head_learns_on_such_features(folder, tmp_path):
    more = {"backbone": TINY, "stages": (3,), "crop_px": 64}
    check_detector("simplenet", tmp_path, folder, **more)


def test_openvino_agrees_with_torch(folder):
    """Position embeddings are interpolated before it compiles: it would do that otherwise."""
    pytest.importorskip("openvino")
    settings = {"backbone": JOINED, "stages": (2,), "blocks": (0,)}
    fast = FeatureExtractor(weights=folder, accelerator="openvino", **settings)
    expected = FeatureExtractor(weights=folder, **settings)(picture(100, 131))
    torch.testing.assert_close(fast(picture(100, 131)), expected, rtol=0, atol=1e-4)


def test_a_network_for_one_size_computes_the_same(tokens, folder):
    windowed = FeatureExtractor(TINY, weights=folder, window_px=64)
    for extractor in (tokens, windowed):
        pixels = picture(100, 131) / 255
        fixed = extractor.network.for_size(100, 131)
        assert torch.equal(fixed(pixels), extractor.network(pixels))
        assert extractor.network.for_size(64, 64) is not extractor.network


def test_openvino_does_not_reduce_pictures(folder):
    with pytest.raises(InputError, match=r"scale 0\.5: openvino reduces pictures otherwise"):
        FeatureExtractor(TINY, weights=folder, scale=0.5, accelerator="openvino")
