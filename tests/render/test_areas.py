"""Areas of a product, from a part's labels to what reads them."""

import dataclasses
import json

import cv2
import numpy as np
import pytest
from support import example_parts
from support.check_part import exposures
from tiny_scenes import files

from render import export
from render.layout import CLASSES
from render.manifest import Manifest, prepare
from render.part import part
from render.picture import Picture
from render.plan import plan_sample
from render.scene import read_scene
from stainless.dataset import load_areas, read_category
from stainless.errors import InputError
from stainless.files import pixel_hash


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """A dataset of one disc whose two halves are areas, rendered by nobody."""
    with example_parts.in_place():
        scene = read_scene(example_parts.PLACE / "discs.yaml", [("samples", "1")])
        named = {"left": 1, "right": 7}
        monkeypatch.setattr(type(part("disc")), "areas", lambda self, scene: named)
        sample = plan_sample(scene, 0)
        (exposure,) = exposures(scene, sample)
        areas = np.ones(exposure.labels.classes.shape, np.uint8)
        areas[:, 32:] = 7
        labels = dataclasses.replace(exposure.labels, areas=areas)
        pixels = np.full((*areas.shape, 3), 90, np.uint8)
        picture = Picture(0, exposure.shot, pixels, labels, {})
        renderer = {"blender": "none"}
        manifest, missing = prepare(scene, tmp_path, renderer)
        assert missing == [0]
        hashes = {}
        for path, content in export.files_of(scene, 0, "train", picture).items():
            export.write_png(tmp_path / path, content)
            hashes[path.as_posix()] = pixel_hash(content)
        manifest.add({"sample": 0, "renderer": renderer, "files": hashes, "parameters": {}})
        assert prepare(scene, tmp_path, renderer)[1] == []
        assert Manifest(tmp_path).files() == hashes.keys()
    return tmp_path


def test_areas_are_written_and_read(dataset):
    assert "annotations/discs/train/good/000_area.png" in files(dataset)
    named = json.loads((dataset / CLASSES).with_name("areas.json").read_text())
    assert named == {"areas": [{"index": 1, "name": "left"}, {"index": 7, "name": "right"}]}
    (sample,) = read_category(dataset, "discs", "train")
    areas = load_areas(sample)
    assert list(areas) == ["left", "right"]
    assert areas["left"][:, :32].all()
    np.testing.assert_array_equal(areas["right"], ~areas["left"])


def test_a_picture_without_areas_has_none(dataset):
    (dataset / "annotations/discs/train/good/000_area.png").unlink()
    (sample,) = read_category(dataset, "discs", "train")
    assert load_areas(sample) == {}
    assert load_areas(dataclasses.replace(sample, annotation=None)) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "expected {"),
        ('{"areas": [{"index": 1}]}', "expected {"),
        ('{"areas": [{"index": 0, "name": "a"}]}', "expected each index from 1 to 255"),
        (
            '{"areas": [{"index": 1, "name": "a"}, {"index": 7, "name": "a"}]}',
            "each name once",
        ),
        ('{"areas": [{"index": 1, "name": "a"}]}', "has area 7, which areas.json does not name"),
    ],
)
def test_areas_that_cannot_be_understood_are_one_line(dataset, text, says):
    (dataset / "annotations/areas.json").write_text(text)
    (sample,) = read_category(dataset, "discs", "train")
    with pytest.raises(InputError, match=says) as caught:
        load_areas(sample)
    assert "\n" not in str(caught.value)


def test_areas_of_another_size_are_refused(dataset):
    path = dataset / "annotations/discs/train/good/000_area.png"
    cv2.imwrite(str(path), np.ones((4, 4), np.uint8))
    (sample,) = read_category(dataset, "discs", "train")
    with pytest.raises(InputError, match="000_area"):
        load_areas(sample)
