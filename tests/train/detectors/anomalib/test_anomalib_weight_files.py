"""Methods whose frozen network comes from a file: they say which, and work with one."""

import numpy as np
import pytest
import torch
from small_networks import fitted, new
from support.check_detector import brushed, check_detector, one_line, small_context

from train.detectors.detector import method

NEED_A_FILE = (
    "anomaly_dino",
    "csflow",
    "dinomaly",
    "efficient_ad",
    "rad",
    "reverse_distillation",
)


@pytest.mark.parametrize("name", NEED_A_FILE)
def test_a_method_with_a_weight_file_keeps_what_it_promises(name, tmp_path, weights, thin):
    check_detector(name, tmp_path, weights(name))


@pytest.mark.parametrize("name", NEED_A_FILE)
def test_without_its_file_a_method_says_which_one_it_needs(name, tmp_path):
    line = one_line(lambda: new(name))
    assert f"--weights FILE or --{name}.weights FILE" in line
    assert "huggingface.co/timm/" in line or "https://" in line
    missing = tmp_path / "none.pth"
    assert one_line(lambda: new(name, weights=str(missing))) == f"{missing}: no such weight file"


@pytest.mark.parametrize("name", NEED_A_FILE)
def test_another_weight_file_is_refused(name, tmp_path, weights, thin):
    other = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(3)}, other)
    line = one_line(lambda: fitted(name, weights=str(other)))
    assert line.startswith(f"{other}: does not hold the weights of")
    other.write_bytes(b"nothing")
    assert "not a readable weight file" in one_line(lambda: fitted(name, weights=str(other)))


def test_a_model_wants_the_weights_it_was_fitted_with(tmp_path, weights, thin):
    settings = {"weights": str(weights("anomaly_dino"))}
    arrays, metadata = fitted("anomaly_dino", **settings).state()
    assert not any(name.startswith("feature_encoder") for name in arrays)
    state = torch.load(weights("anomaly_dino"), weights_only=True)
    state["cls_token"] += 1
    torch.save(state, tmp_path / "other.pth")
    known = method("anomaly_dino")
    chosen = known.settings(**{**known.small, **settings})
    context = small_context(tmp_path / "other.pth")
    line = one_line(lambda: known.load().from_state(chosen, arrays, metadata, context))
    assert "was fitted with other weights" in line and "--weights" in line


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("anomaly_dino", "feature_encoder.feature_extractor"),
        ("csflow", "feature_extractor.feature_extractor.feature_extractor"),
        ("dinomaly", "encoder.feature_extractor"),
    ],
)
def test_whole_networks_are_read_from_their_files(name, place, weights):
    file = weights(f"{name}, whole")
    options = {} if name == "anomaly_dino" else {"steps": 1}
    detector = fitted(name, 2, context=small_context(file), **options)
    given = torch.load(file, weights_only=True)
    network = detector.model.get_submodule(place).state_dict()
    assert len(network) > 100
    for key, tensor in network.items():
        assert torch.equal(tensor, given[key]), key
    (score,) = detector.score([brushed(9)])
    assert score.map.shape == (96, 112) and np.ptp(score.map) > 0


@pytest.mark.parametrize(("options", "members"), [({"ratio": 0.5}, 32), ({"neighbours": 3}, 64)])
def test_anomaly_dino_may_keep_a_share_and_ask_several(options, members, weights, thin):
    context = small_context(weights("anomaly_dino"))
    detector = fitted("anomaly_dino", context=context, **options)
    (score,) = detector.score([brushed(9)])
    assert score.map.shape == (96, 112) and np.ptp(score.map) > 0
    assert detector.learned["members"] == members  # of 4 x 4 patches of 4 pictures


def test_anomaly_dino_may_leave_out_the_background(weights, thin):
    context = small_context(weights("anomaly_dino"))
    detector = fitted("anomaly_dino", context=context, masking=True, side=280)
    assert 0 < detector.learned["members"] < 4 * 20 * 23


def test_anomaly_dino_cannot_average_more_members_than_it_has(weights, thin):
    context = small_context(weights("anomaly_dino"))
    line = one_line(lambda: fitted("anomaly_dino", context=context, neighbours=65))
    assert line == "--anomaly_dino.neighbours: 65, expected at most the 64 members"


def test_efficient_ad_wants_natural_pictures(tmp_path, weights, thin):
    context = small_context(weights("efficient_ad"))
    line = one_line(lambda: fitted("efficient_ad", context=context, imagenet=None))
    assert line.startswith("--efficient_ad.imagenet: null, expected a folder") and "tgz" in line
    line = one_line(lambda: fitted("efficient_ad", context=context, imagenet=str(tmp_path / "a")))
    assert line.endswith("expected a folder with pictures")


def test_efficient_ad_holds_out_every_nth_picture():
    from train.detectors.anomalib.methods.efficient_ad import EfficientAd

    class Held(EfficientAd):
        def __init__(self, share):
            self.settings = method("efficient_ad").settings(held_out=share)

    learned, held = Held(0.25).split(range(1, 11))
    assert (learned, held) == ([1, 2, 3, 5, 6, 7, 9, 10], [4, 8])
    assert Held(0.25).split([1, 2]) == ([1, 2], [1, 2])
    assert Held(0.0).split([1, 2]) == ([1, 2], [1, 2])


def test_a_backbone_of_ours_stands_in_for_the_network_of_csflow():
    settings = {"encoder": "efficientnet_lite0", "hidden": 4, "blocks": 2, "steps": 1}
    detector = fitted("csflow", **settings)
    arrays, metadata = detector.state()
    assert arrays and not any(name.startswith("feature_extractor") for name in arrays)
    known = method("csflow")
    chosen = known.settings(**{**known.small, **settings})
    again = known.load().from_state(chosen, arrays, metadata, small_context())
    picture = brushed(3, (130, 150))
    first, second = (each.score([picture])[0] for each in (detector, again))
    assert first.value == second.value and (first.map == second.map).all()
    assert first.map.shape == (130, 150)
    assert "unknown backbone" in one_line(lambda: new("csflow", encoder="b5"))
