"""Layouts, pairing by name, and the line that every bad dataset gets."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import numpy as np
import pytest
from support.datasets import SIZE, write_image, write_mask

from stainless.dataset import (
    list_categories,
    list_images,
    load_annotation,
    load_mask,
    read_category,
)
from stainless.errors import InputError


def names(samples):
    return [sample.name for sample in samples]


@pytest.mark.parametrize("ending", [".png", ".jpg", ".JPEG", ".bmp", ".tif"])
@pytest.mark.parametrize("mask_name", ["{}_mask.png", "{}.png"])
def test_mvtec_layout(mvtec, ending, mask_name):
    root = mvtec(ending, mask_name)
    assert names(read_category(root, "plate", "train")) == [f"train/good/00{i}" for i in range(3)]
    samples = read_category(root, "plate", "test")
    labels = Counter(sample.label for sample in samples)
    assert labels == {"good": 3, "dent": 2, "scratch": 2}
    for sample in samples:
        assert sample.is_good == (sample.mask is None)
        assert sample.group == sample.name
        if sample.mask is not None:
            assert sample.mask.name == mask_name.format(sample.image.stem)
            assert sample.mask.parent.name == sample.label


def test_masks_are_paired_by_name_not_by_position(tmp_path):
    folder = tmp_path / "plate"
    # Sorted, images run 10, 2 and masks 10_mask, 2_mask, but "2.png" sorts before "2b_mask.png".
    for number, name in enumerate(["2", "2b", "10", "a-b", "a"]):
        write_image(folder / f"test/dent/{name}.png")
        write_mask(folder / f"ground_truth/dent/{name}_mask.png", left=number)
    found = {
        s.image.stem: int(load_mask(s).argmax(axis=1).max())
        for s in read_category(tmp_path, "plate", "test")
    }
    assert found == {"2": 0, "2b": 1, "10": 2, "a-b": 3, "a": 4}


def test_a_validation_tree_has_annotations_of_its_own(validation_tree):
    annotations = validation_tree / "annotations"
    write_image(annotations / "validation/plate/test/dent/101_class.png", np.ones(SIZE, np.uint8))
    write_image(
        annotations / "validation/plate/test/dent/101_instance.png", np.full(SIZE, 9, np.uint16)
    )
    entry = {"index": 1, "name": "dent", "kind": "defect"}
    (annotations / "classes.json").write_text(json.dumps({"classes": [entry]}))
    dent, good = read_category(validation_tree, "plate", "validation")
    assert good.annotation is None
    classes, instances, names = load_annotation(dent)
    assert (classes == 1).all() and (instances == 9).all() and names[1].name == "dent"


def test_the_validation_tree_comes_before_the_folder_inside(validation_tree):
    write_image(validation_tree / "plate/validation/good/200.png")
    samples = read_category(validation_tree, "plate", "validation")
    assert names(samples) == ["validation/dent/101", "validation/good/100"]
    assert load_mask(samples[0]).sum() == 35
    assert list_categories(validation_tree) == ["plate"]


def test_loco_layout(loco):
    assert names(read_category(loco, "connector", "validation")) == ["validation/good/000"]
    sample = read_category(loco, "connector", "test")[1]
    assert sample.label == "logical_anomalies"
    assert load_mask(sample).sum() == 2 * 35 - 7


def test_a_plain_folder_is_nominal(tmp_path):
    for name in ("b", "a"):
        write_image(tmp_path / "photos" / f"{name}.jpg")
    (tmp_path / "photos" / "notes.txt").write_text("not an image")
    write_image(tmp_path / "photos" / ".hidden.png")
    expected = ["train/good/a", "train/good/b"]
    assert names(read_category(tmp_path, "photos", "train")) == expected
    assert names(read_category(tmp_path / "photos", ".", "train")) == expected
    assert [path.name for path in list_images(tmp_path / "photos")] == ["a.jpg", "b.jpg"]


def test_images_right_below_train_are_nominal(tmp_path):
    write_image(tmp_path / "plate/train/000.png")
    assert names(read_category(tmp_path, "plate", "train")) == ["train/good/000"]


def break_missing_mask(folder):
    (folder / "ground_truth/dent/001_mask.png").unlink()
    return "test", "test/dent/001.png: has no mask", "ground_truth/dent/001_mask.png"


def break_extra_mask(folder):
    path = write_mask(folder / "ground_truth/dent/007_mask.png")
    return "test", f"{path}: mask without an image", "test/dent"


def break_mask_of_unknown_class(folder):
    path = write_mask(folder / "ground_truth/rust/000_mask.png")
    return "test", f"{path}: mask without an image", "test/rust"


def break_mask_of_good_image(folder):
    path = write_mask(folder / "ground_truth/good/007_mask.png")
    return "test", f"{path}: mask without an image", "test/good"


def break_second_mask(folder):
    path = write_mask(folder / "ground_truth/dent/000.png")
    return "test", "dent/000.png: has two masks", str(path)


def break_same_stem(folder):
    path = write_image(folder / "test/dent/000.jpg")
    return "test", f"{path.with_suffix('.png')}: has the same name as 000.jpg", ""


def break_defect_in_train(folder):
    path = write_image(folder / "train/dent/000.png")
    return "train", f"{path.parent}: training images must be nominal", "train/good"


def break_empty_train(folder):
    shutil.rmtree(folder / "train/good")
    (folder / "train/good").mkdir()
    return "train", f"{folder / 'train/good'}: has no images", ""


def break_empty_test(folder):
    shutil.rmtree(folder / "test")
    shutil.rmtree(folder / "ground_truth")
    (folder / "test" / "good").mkdir(parents=True)
    return "test", f"{folder / 'test'}: has no images", ""


def break_no_test(folder):
    shutil.rmtree(folder / "test")
    return "test", f"{folder / 'test'}: no such folder", "test split"


def break_no_validation(folder):
    return "validation", f"{folder}: has no validation split", "validation/plate"


def break_labelme_without_class_map(folder):
    path = folder / "test/good/000.json"
    path.write_text('{"shapes": []}')
    return "test", f"{path}: a LabelMe file needs a class map", ""


BREAKERS = [value for name, value in list(globals().items()) if name.startswith("break_")]


@pytest.mark.parametrize("spoil", BREAKERS, ids=lambda f: f.__name__.removeprefix("break_"))
def test_a_bad_dataset_is_one_line_with_its_path(mvtec, spoil):
    root = mvtec()
    split, start, also = spoil(root / "plate")
    with pytest.raises(InputError) as caught:
        read_category(root, "plate", split)
    line = str(caught.value)
    assert start in line and also in line and str(root) in line and "\n" not in line


def test_an_unknown_category_lists_those_there_are(mvtec):
    root = mvtec()
    write_image(root / "cover/train/good/000.png")
    (root / "annotations").mkdir()
    with pytest.raises(InputError, match=r"has no category 'disc'; there are: cover, plate$"):
        read_category(root, "disc", "train")
    with pytest.raises(InputError, match="no such folder"):
        read_category(root / "nowhere", "plate", "train")
    with pytest.raises(InputError, match="split is 'tset', expected train, test, validation"):
        read_category(root, "plate", "tset")


def test_real_tiles(magnetic_tile):
    counts = {
        split: Counter(s.label for s in read_category(magnetic_tile, "magnetic_tile", split))
        for split in ("train", "test", "validation")
    }
    assert counts["train"] == {"good": 691}
    assert counts["test"] == {
        "good": 203,
        "blowhole": 91,
        "break": 68,
        "crack": 44,
        "fray": 24,
        "uneven": 78,
    }
    assert counts["validation"] == {
        "good": 58,
        "blowhole": 24,
        "break": 17,
        "crack": 13,
        "fray": 8,
        "uneven": 21,
    }
    groups = [
        {sample.group for sample in read_category(magnetic_tile, "magnetic_tile", split)}
        for split in ("train", "test", "validation")
    ]
    assert not groups[0] & groups[1] and not groups[1] & groups[2] and not groups[0] & groups[2]
    for sample in read_category(magnetic_tile, "magnetic_tile", "validation")[::10]:
        assert load_mask(sample).any() != sample.is_good
