"""COCO files: they open in pycocotools and hold the very masks of the annotations."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest
from exchange_data import SIZE, annotate, write
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as reference
from pycocotools.coco import COCO

from stainless.dataset.rle import compressed, run_lengths


def encoded(mask):
    pixels = np.flatnonzero(mask.T)
    return compressed(run_lengths(pixels, mask.size))


@settings(max_examples=150, deadline=None)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)))
def test_run_lengths_are_those_of_pycocotools(mask):
    expected = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert encoded(mask).encode() == expected["counts"]


@pytest.mark.parametrize("value", [False, True])
def test_long_runs_need_several_digits(value):
    mask = np.full((1500, 1100), value)
    mask[700, 5] = mask[3, 900] = not value
    expected = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert encoded(mask).encode() == expected["counts"]


@pytest.mark.parametrize(
    "split, where, images",
    [
        ("train", "stained/train", {"good/000"}),
        ("test", "stained/test", {"good/001", "bad/002"}),
        ("validation", "validation/stained/test", {"bad/010"}),
    ],
)
def test_pycocotools_decodes_the_masks_of_the_annotations(
    root, tmp_path, runs, split, where, images
):
    out = tmp_path / "coco.json"
    runs("export-coco", "--data", root, "--category", "stained", "--split", split, "--out", out)
    coco = COCO(str(out))
    files = {coco.imgs[number]["file_name"] for number in coco.getImgIds()}
    assert files == {f"{where}/{name}.png" for name in images}
    for image in coco.loadImgs(coco.getImgIds()):
        assert (root / image["file_name"]).is_file()
        assert (image["height"], image["width"]) == SIZE
        stem = root / "annotations" / image["file_name"].removesuffix(".png")
        classes = cv2.imread(f"{stem}_class.png", cv2.IMREAD_UNCHANGED)
        instances = cv2.imread(f"{stem}_instance.png", cv2.IMREAD_UNCHANGED)
        got_classes, got_instances = np.zeros_like(classes), np.zeros_like(instances)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
            mask = coco.annToMask(annotation).astype(bool)
            assert not (got_classes[mask]).any()
            got_classes[mask], got_instances[mask] = (
                annotation["category_id"],
                annotation["instance"],
            )
            assert annotation["area"] == mask.sum() == reference.area(annotation["segmentation"])
            assert annotation["bbox"] == reference.toBbox(annotation["segmentation"]).tolist()
            assert annotation["iscrowd"] == (annotation["instance"] == 0)
        assert (got_classes == classes).all() and (got_instances == instances).all()
        assert got_classes.any()


def test_pictures_without_anything_are_there(root, tmp_path, runs):
    out = tmp_path / "coco.json"
    runs("export-coco", "--data", root, "--category", "clean", "--split", "test", "--out", out)
    coco = COCO(str(out))
    assert len(coco.imgs) == 2 and not coco.anns and len(coco.cats) == 3


def test_categories_are_the_classes(root, tmp_path, runs):
    out = tmp_path / "coco.json"
    runs("export-coco", "--data", root, "--category", "stained", "--split", "test", "--out", out)
    coco = COCO(str(out))
    kinds = {
        category["id"]: (category["name"], category["supercategory"])
        for category in coco.cats.values()
    }
    assert kinds == {
        1: ("water_stain", "impurity"),
        2: ("scratch", "defect"),
        5: ("border", "ignore"),
    }
    assert all(type(annotation["area"]) is int for annotation in coco.anns.values())


def test_masks_alone_make_instances_with_the_same_classes_in_every_part(tmp_path, runs):
    root = tmp_path / "photographs"
    for tree in ("plate", "validation/plate"):
        labels = ("crack", "dent") if tree == "plate" else ("dent",)
        for label in labels:
            mask = np.zeros(SIZE, np.uint8)
            mask[3:6, 4:9] = mask[20:22, 30:] = 255
            write(root / tree / f"test/{label}/0.jpg", np.full(SIZE, 90, np.uint8))
            write(root / tree / f"ground_truth/{label}/0_mask.png", mask)
    for split, count in (("test", 4), ("validation", 2)):
        out = tmp_path / f"{split}.json"
        runs("export-coco", "--data", root, "--category", "plate", "--split", split, "--out", out)
        coco = COCO(str(out))
        assert {category["id"]: category["name"] for category in coco.cats.values()} == {
            1: "crack",
            2: "dent",
        }
        assert len(coco.anns) == count
        assert {annotation["category_id"] for annotation in coco.anns.values()} >= {2}


def test_an_older_export_is_replaced_and_nothing_else(root, tmp_path, runs, refused):
    out = tmp_path / "coco.json"
    words = ["export-coco", "--data", root, "--category", "stained", "--split", "test", "--out"]
    runs(*words, out)
    first = out.read_bytes()
    runs(*words, out)
    assert out.read_bytes() == first
    other = root.parent / "elsewhere"
    shutil.copytree(root, other)
    line = refused("export-coco", "--data", other, *words[3:], out)
    assert f"{out}: was not written by an earlier `export-coco` of elsewhere, stained, test" in line
    assert "of data, clean, test" in refused(*words[:4], "clean", *words[5:], out)
    for content in ("", '{"info": {"description": "Mine"}}', first.decode() + " "):
        out.write_text(content)
        assert f"{out}: was not written" in refused(*words, out)
        assert out.read_text() == content
    assert "is a folder" in refused(*words, tmp_path)
    inside = root / "annotations/coco.json"
    assert "lies in the dataset" in refused(*words, inside)
    assert not inside.exists()


def test_bad_input_is_one_line_and_writes_nothing(root, tmp_path, refused):
    out = tmp_path / "out.json"

    def line(data=root, category="stained", split="test"):
        words = ["--data", data, "--category", category, "--split", split, "--out", out]
        message = refused("export-coco", *words)
        assert not out.exists()
        return message

    missing = tmp_path / "nowhere"
    assert f"{missing}: no such folder" in line(data=missing)
    assert "has no category 'stain'; there are: clean, stained, stained_x2" in line(
        category="stain"
    )
    assert "invalid choice: 'tset'" in line(split="tset")
    assert "has no validation split" in line(category="stained_x2", split="validation")

    name = "annotations/stained/test/bad/002"
    good = json.loads((root / "annotations/classes.json").read_text())
    classes, instances = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint16)
    instances[3, 8] = 12
    annotate(root, "stained/test/bad/002", classes, instances)
    assert f"{name}_class.png: has no class at row 3, column 8, where its instance" in line()
    (root / f"{name}_instance.png").write_bytes(b"\x89PNG\r\n\x1a\n0000")
    assert f"{name}_instance.png: is truncated" in line()
    (root / f"{name}_instance.png").unlink()
    assert f"{name}_instance.png: no such file" in line()
    (root / "annotations/classes.json").write_text("{")
    assert "classes.json: is not JSON" in line()
    annotate(root, "stained/test/bad/002", np.ones(SIZE, np.uint8), instances)
    good["classes"][0]["index"] = 9
    (root / "annotations/classes.json").write_text(json.dumps(good))
    assert "has class 1, which classes.json does not name" in line()
