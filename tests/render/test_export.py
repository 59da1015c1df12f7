"""What a picture's labels become on disk."""

import dataclasses

import numpy as np
import pytest
from support import example_parts
from tiny_scenes import files, generate, scene

from render.export import files_of, read_png, write_png
from render.labels import defects_config
from render.part import Labels, Shot
from render.picture import Picture
from render.scene import read_scene

SHAPE = (6, 8)

#: A stain (1) under a bump (101) and two scratches (103), one of which has two pieces.
CLASSES = np.zeros(SHAPE, np.uint8)
INSTANCES = np.zeros(SHAPE, np.uint16)
for instance, index, place in (
    (1, 1, np.s_[0:4, 0:4]),
    (3, 101, np.s_[1:3, 1:3]),
    (4, 103, np.s_[5, 0:3]),
    (4, 103, np.s_[5, 5:8]),
    (6, 103, np.s_[0, 6:8]),
):
    CLASSES[place], INSTANCES[place] = index, instance


def written(layout, truths):
    drawn = dataclasses.replace(
        scene(series__groups="[{split: test, parts: 3}]", test_every="0"), layout=layout
    )
    pixels = np.full(SHAPE, 90, np.uint8)
    truth = dict.fromkeys(truths, INSTANCES > 1)
    picture = Picture(0, Shot(), pixels, Labels(CLASSES, INSTANCES), truth)
    return {path.as_posix(): image for path, image in files_of(drawn, 2, "test", picture).items()}


def test_loco_has_a_file_for_each_defect_and_none_for_an_impurity():
    content = written("loco", ["structural"])
    truth = {name: image for name, image in content.items() if "ground_truth" in name}
    place = "cell/ground_truth/structural_anomalies/002"
    assert list(truth) == [f"{place}/{region:03d}.png" for region in range(3)]
    for image, instance, value in zip(truth.values(), (3, 4, 6), (101, 103, 103), strict=True):
        np.testing.assert_array_equal(image, np.where(instance == INSTANCES, value, 0))


def test_mvtec_has_one_mask_of_all_defects():
    content = written("mvtec", ["structural"])
    (mask,) = [image for name, image in content.items() if "ground_truth" in name]
    np.testing.assert_array_equal(mask, np.where(INSTANCES > 1, 255, 0))
    assert "cell/test/defective/002.png" in content


def test_a_picture_of_both_kinds_counts_as_logical():
    assert "cell/test/logical_anomalies/002.png" in written("loco", ["structural", "logical"])
    assert "cell/test/good/002.png" in {
        name for name in written("loco", []) if "ground_truth" not in name
    }


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_a_picture_is_read_as_it_was_written(tmp_path, dtype, shape):
    pixels = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype)
    write_png(tmp_path / "a.png", pixels)
    again = read_png(tmp_path / "a.png")
    assert again.dtype == dtype
    np.testing.assert_array_equal(again, pixels)
    assert read_png(tmp_path / "b.png") is None


def test_locos_list_of_defects_has_those_that_a_scene_can_show():
    assert defects_config(scene()) == []
    drawn = scene(
        series__groups="[{parts: 3}]", test_every="0", defects__dent="{}", defects__bump="{}"
    )
    names = {entry["defect_name"]: entry["pixel_value"] for entry in defects_config(drawn)}
    assert names == {"bump": 101, "dent": 102}


def test_twins_of_plates_have_loco_as_well(tmp_path):
    few = {"samples": "1", "test_every": "0", "lights__variants": "[hexagon]"}
    done = generate(tmp_path / "twins", "--layout", "loco", **few)
    assert done.returncode == 0, done.stderr
    names = {name for name in files(tmp_path / "twins") if not name.startswith("annotations")}
    assert names == {
        "clean/train/good/000.png",
        "clean/defects_config.json",
        "stained/train/good/000.png",
        "stained/defects_config.json",
        "contact_sheet.png",
        "manifest.jsonl",
        "scene.yaml",
    }


def test_without_a_series_a_category_is_called_by_its_part(tmp_path):
    words = ("--config", example_parts.PLACE / "discs.yaml", "--output", tmp_path / "out")
    alone = ("--series", "null", "--samples", "2", "--test_every", "2")
    done = example_parts.generate(*words, *alone)
    assert done.returncode == 0, done.stderr
    pictures = {name for name in files(tmp_path / "out") if name.startswith("disc/")}
    assert pictures == {"disc/train/good/000.png", "disc/test/good/001.png"}
    sheet = read_png(tmp_path / "out" / "contact_sheet.png")
    assert sheet.shape[1] == 34 + 2 * 488
    with example_parts.in_place():
        assert read_scene(tmp_path / "out" / "scene.yaml").part == "disc"
