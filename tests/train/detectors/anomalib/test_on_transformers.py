"""anomalib's methods that remember, on transformers and joined networks of ours."""

import pytest
import timm
import torch
from small_networks import maps, new
from support.check_detector import brushed, one_line, samples, small_context

from train.detectors.detector import Trainset
from train.detectors.model_file import Model
from train.features import FeatureExtractor

JOINED = {"backbone": "timm:test_vit+timm:resnet18", "blocks": (1, 3), "stages": (3,)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("random")
    for name in ("test_vit", "resnet18"):
        torch.manual_seed(0)
        torch.save(timm.create_model(name, pretrained=False).state_dict(), folder / f"{name}.pth")
    return folder


@pytest.mark.parametrize("name", ["mh_patchcore", "patchcore"])
def test_a_planted_defect_stands_out_and_a_file_keeps_it(name, folder, tmp_path):
    detector = new(name, small_context(folder), side=None, **JOINED)
    detector.fit([Trainset("metal", samples(range(4)))])
    picture = brushed(0)
    (clean,) = maps(detector, [picture])
    picture[40:56, 48:64] = 0
    (found,) = maps(detector, [picture])
    assert found.shape == picture.shape[:2]
    assert found.max() > 1.2 * clean.max()
    model = Model(name, detector.settings, detector)
    model.save(tmp_path / "m.safetensors")
    again = Model.load(tmp_path / "m.safetensors", small_context(folder))
    (kept,) = maps(again.detector, [picture])
    torch.testing.assert_close(torch.from_numpy(kept), torch.from_numpy(found))


def test_its_features_are_ours(folder):
    detector = new("patchcore", small_context(folder), side=None, members=1000, **JOINED)
    model = detector.build()
    picture = torch.from_numpy(brushed(3, (112, 128))).permute(2, 0, 1)[None]
    ours = FeatureExtractor(**JOINED, weights=folder)(picture)
    (layer,) = model.feature_extractor(picture / 255).values()
    torch.testing.assert_close(layer.permute(0, 2, 3, 1), ours)


def test_what_has_no_effect_is_refused_in_a_line():
    detector = new("patchcore", blocks=(1,))
    assert "--patchcore.blocks: has no effect on efficientnet_lite0" in one_line(detector.build)
