"""SimpleNet: its loss by hand, pictures of any size, and that it learns what is nominal."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.check_detector import brushed, samples, small_context
from support.threads import one_thread  # noqa: F401
from torch import nn

from stainless.dataset import ArraySample
from stainless.errors import InputError
from train.augment import Ranges
from train.detectors.detector import Trainset
from train.detectors.simplenet import head as heads
from train.detectors.simplenet.detector import SimpleNet
from train.detectors.simplenet.head import Head
from train.detectors.simplenet.nominal import NominalFeatures, divided, extract, scaled
from train.detectors.simplenet.settings import Settings

SMALL = Settings(epochs=2, batch=2)


@pytest.fixture(scope="module")
def fitted():
    """A detector that has learned from four pictures of grooves."""
    detector = SimpleNet(
        Settings(epochs=15, batch=2, noise=1.0, adapter_rate=1e-3, discriminator_rate=2e-3),
        small_context(),
    )
    detector.fit([Trainset("metal", samples(range(4)))])
    return detector


def learned(settings=SMALL, pictures=None, **context):
    detector = SimpleNet(settings, small_context(**context))
    detector.fit([Trainset("metal", pictures or samples(range(4)))])
    return detector.state()[0]


def assert_equal(found, expected):
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_the_loss_is_truncated_on_both_sides():
    head = Head(1)
    head.adapter, head.discriminator = nn.Identity(), nn.Identity()
    features = torch.tensor([[-1.0], [0.1], [0.5], [2.0]])
    noise = torch.tensor([[0.2], [-0.9], [-0.5], [-3.5]])
    torch.manual_seed(0)
    drawn = torch.randn_like(features)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randn_like", lambda tensor: noise / 0.1)
        loss, shares = head.loss(features, 0.1, 0.5)
    # Nominal: 1.5, 0.4, 0, 0. Noisy: -0.8, -0.8, 0, -1.5 cost 0, 0, 0.5, 0.
    assert float(loss) == pytest.approx(1.9 / 4 + 0.5 / 4)
    assert shares == {"nominal": 0.5, "noisy": 0.75}
    torch.manual_seed(0)
    loss, _ = head.loss(features, 0.1, 0.5)
    noisy = (0.5 + features + 0.1 * drawn).clamp(min=0).mean()
    assert float(loss) == pytest.approx(1.9 / 4 + float(noisy))


def test_the_published_widths_are_the_defaults():
    head = Head(1536)
    assert head.adapter.weight.shape == (1536, 1536)
    assert head.discriminator[0].weight.shape == (1024, 1536)
    assert head.discriminator[-1].weight.shape == (1, 1024) and head.discriminator[-1].bias is None


def test_many_features_are_scored_as_few_are(monkeypatch):
    head, features = Head(8).eval(), torch.randn(50, 8)
    whole, adapted = head.score(features), head.adapted(features)
    monkeypatch.setattr(heads, "CHUNK", 7)
    torch.testing.assert_close(head.score(features), whole)
    torch.testing.assert_close(head.adapted(features), adapted)
    torch.testing.assert_close(adapted, head.adapter(features))


def test_it_finds_what_is_not_nominal(fitted):
    bad = brushed(51)
    bad[40:52, 60:72] = 255
    good, found = fitted.score([brushed(50), bad])
    assert found.value > good.value
    row, column = np.unravel_index(found.map.argmax(), found.map.shape)
    assert 30 <= row < 62 and 50 <= column < 82


@pytest.mark.parametrize("image_px", [None, 72, 192])
@pytest.mark.parametrize("shape", [(96, 240), (210, 97)])
def test_the_map_is_of_the_picture_at_whatever_size_it_is_computed(fitted, image_px, shape):
    """Scores that are the centres of their patches make a map that is its pixels."""
    detector = SimpleNet(replace(fitted.settings, image_px=image_px, blur_px=0.0), small_context())
    picture = scaled(brushed(3, shape), image_px)
    if image_px is not None:
        assert min(picture.shape[:2]) == image_px
    rows, columns = extract(detector.extractor, picture).shape[:2]
    first, pitch = detector.extractor.first_centre, detector.extractor.pitch
    for axis, cells in enumerate((rows, columns)):
        factor = shape[axis] / picture.shape[axis]
        centres = (first + np.arange(cells) * pitch + 0.5) * factor - 0.5
        scores = np.broadcast_to(centres[:, None] if axis == 0 else centres, (rows, columns))
        scores = torch.from_numpy(scores.astype(np.float32))
        found = detector._map(scores, shape, picture.shape[:2]).numpy()
        pixels = np.clip(np.arange(shape[axis]), centres[0], centres[-1])
        expected = pixels[:, None] if axis == 0 else pixels
        np.testing.assert_allclose(found, np.broadcast_to(expected, shape), atol=1e-3)


def test_adapted_features_are_those_that_are_scored(fitted):
    features = fitted.patch_features(brushed(50))
    assert features.shape == (12, 14, 152) and features.dtype == np.float32
    with torch.inference_mode():
        scores = -fitted.head.discriminator(torch.from_numpy(features).flatten(0, 1))
    assert float(scores.max()) == pytest.approx(fitted.score([brushed(50)])[0].value, rel=1e-4)


def test_pictures_of_any_size_are_learned_from_in_windows():
    pictures = [
        ArraySample.nominal(f"train/good/{number}", brushed(number, shape))
        for number, shape in enumerate([(96, 112), (80, 70), (75, 300)])
    ]
    detector = SimpleNet(replace(SMALL, crop_px=88), small_context())
    nominal = NominalFeatures(
        [Trainset("metal", pictures)], detector.extractor, detector.settings, detector.context
    )
    assert nominal.batch([0, 1, 2], 0).shape == (11 * 11 + 10 * 9 + 10 * 11, 152)
    assert torch.equal(nominal.batch([1], 0), nominal.batch([1], 1)), "it fits the window"
    assert torch.equal(nominal.batch([2], 0), nominal.batch([2], 0))
    assert not torch.equal(nominal.batch([2], 0), nominal.batch([2], 1))
    both = nominal.batch([2, 0], 3)
    assert torch.equal(both, torch.cat([nominal.batch([2], 3), nominal.batch([0], 3)]))
    detector.fit([Trainset("metal", pictures)])
    assert detector.learned["steps"] == 4 and detector.learned["ended"] == "finished"


def test_kept_features_change_nothing_but_the_time():
    expected = learned()
    assert_equal(learned(replace(SMALL, cache_mb=0)), expected)
    varied = learned(augmentation=Ranges())
    assert not np.array_equal(varied["adapter.weight"], expected["adapter.weight"])
    assert_equal(learned(augmentation=Ranges()), varied)


def test_how_it_learned_is_told_and_a_warning_given_if_it_did_not(fitted, tmp_path):
    lines = []
    context = small_context(warn=lines.append, log=tmp_path / "log")
    detector = SimpleNet(replace(SMALL, steps=3, noise=0.015), context)
    detector.fit([Trainset("metal", samples(range(4)))])
    told = detector.state()[1]["learned"]
    assert told["steps"] == 3 and told["last"]["loss"] > 0.95
    assert len(lines) == 1 and "tells nothing apart" in lines[0] and "noise of 0.015" in lines[0]
    assert fitted.learned["last"]["loss"] < 0.95
    assert len(list((tmp_path / "log").glob("events.*"))) == 1


def nominal_of(pictures, **changed):
    detector = SimpleNet(replace(SMALL, **changed), small_context())
    return detector, NominalFeatures(
        [Trainset("metal", pictures)], detector.extractor, detector.settings, detector.context
    )


def test_the_spread_is_that_of_all_patches():
    _, nominal = nominal_of(samples(range(3)))
    features = nominal.batch([0, 1, 2], 0).double()
    expected = features.std(dim=0, correction=0).mean()
    assert nominal.spread() == pytest.approx(float(expected), rel=1e-6)


def test_the_noise_goes_with_the_backbone_and_is_kept(fitted):
    detector, nominal = nominal_of(samples(range(4)))
    detector.fit([Trainset("metal", samples(range(4)))])
    assert detector.noise == pytest.approx(0.55 * nominal.spread())
    arrays, state = detector.state()
    assert SimpleNet.from_state(SMALL, arrays, state, small_context()).noise == detector.noise
    assert fitted.noise == 1.0 == fitted.state()[1]["noise"]
    for tag in ("", ".tv_in1k"):
        detector.settings = replace(SMALL, backbone="timm:wide_resnet50_2" + tag)
        assert detector._noise(nominal) == 0.015


def test_features_that_are_all_the_same_have_no_noise_of_their_own():
    detector, nominal = nominal_of(samples(range(1)))
    nominal._kept[0] = torch.ones(5, 152)
    with pytest.raises(InputError, match=r"simplenet\.noise: null, expected a number"):
        detector._noise(nominal)


def test_the_defaults_learn():
    lines = []
    detector = SimpleNet(Settings(steps=80), small_context(warn=lines.append))
    detector.fit([Trainset("metal", samples(range(4)))])
    assert detector.learned["last"]["loss"] < 0.9 and lines == []


def test_watched_pictures_teach_nothing_and_choose_the_epoch():
    settings = Settings(epochs=40, batch=4, noise=1.0, watch=0.25, patience=2)
    rates = {"adapter_rate": 0.03, "discriminator_rate": 0.03}
    detector = SimpleNet(replace(settings, **rates), small_context())
    pictures = samples(range(8))
    detector.fit([Trainset("metal", pictures)])
    told = detector.learned
    assert told["ended"] == "early"
    assert told["best_epoch"] == told["steps"] // 2 - 1 - settings.patience  # two steps an epoch
    learned, watched = divided([Trainset("metal", pictures)], 0.25, 0)
    names = [[sample.name for sample in half[0].samples] for half in (learned, watched)]
    assert [len(half) for half in names] == [6, 2]
    assert sorted(names[0] + names[1]) == [sample.name for sample in pictures]
    with pytest.raises(InputError, match=r"simplenet\.watch: 0.25, but metal: no validation split"):
        divided([Trainset("metal", pictures[:1])], 0.25, 0)


def test_a_state_of_other_features_or_sizes_is_refused(fitted):
    arrays, metadata = fitted.state()
    other = {**metadata, "features": {**metadata["features"], "weights": "others"}}
    with pytest.raises(InputError, match="other weights of efficientnet_lite0; give them with --w"):
        SimpleNet.from_state(fitted.settings, arrays, other, small_context())
    with pytest.raises(InputError, match="incomplete or of another size"):
        wide = replace(fitted.settings, hidden=7)
        SimpleNet.from_state(wide, arrays, metadata, small_context())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"crop_px": 40}, r"simplenet.crop_px: 40, expected at least 67, what a patch of .* sees"),
        ({"noise": 0.0}, "simplenet.noise: 0.0, expected a number above 0"),
        ({"blur_px": -1.0}, "simplenet.blur_px: -1.0, expected at least 0"),
        ({"hidden": 0}, "simplenet.hidden: 0, expected at least 1"),
        ({"watch": 1.0}, r"simplenet.watch: 1.0, expected a share from 0 to below 1"),
        ({"patience": 2}, r"simplenet.patience: 2, expected simplenet.watch above 0 beside it"),
        ({"epochs": 0}, "simplenet.epochs: 0, expected at least 1"),
    ],
)
def test_what_cannot_be_is_one_line(changed, message):
    with pytest.raises(InputError, match=message):
        SimpleNet(replace(SMALL, **changed), small_context())
