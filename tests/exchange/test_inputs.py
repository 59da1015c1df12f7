"""Exports of what people bring: shapes for labels, turned pictures, deep ones, odd names."""

from __future__ import annotations

import json
import os
import shutil
from urllib.parse import unquote_to_bytes

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as pycoco
from support.datasets import CLASS_MAP, shape, write_image, write_labelme

from stainless.cli import main
from stainless.dataset import frame_of, load_annotation, load_image, load_mask, read_category
from stainless.dataset.orientation import upright

SCENE = np.zeros((12, 20), np.uint8)
SCENE[2:4, 3:15] = 250
SCENE[4:10, 3:6] = 120
TURNED = [3, 6]


def described(out):
    return json.loads((out / "data.js").read_text().removeprefix("const DATA = ")[:-2])


@pytest.fixture
def class_map(tmp_path):
    path = tmp_path / "classes.yaml"
    path.write_text("\n".join(f"{name}: {kind}" for name, kind in CLASS_MAP.items()))
    return path


@pytest.fixture
def words(labelme, class_map):
    return ("--data", labelme, "--category", "sheet", "--classes", class_map)


def test_a_labelme_dataset_becomes_coco(labelme, words, class_map, tmp_path, runs):
    out = tmp_path / "coco.json"
    runs("export-coco", *words, "--split", "test", "--out", out)
    content = json.loads(out.read_text())
    assert {c["name"]: c["supercategory"] for c in content["categories"]} == CLASS_MAP
    before = read_category(labelme, "sheet", "test", class_map)
    for path in (labelme / "sheet").rglob("*.json"):
        path.unlink()
    after = read_category(labelme, "sheet", "test", out)
    assert [s.label for s in after] == [s.label for s in before] == ["good", "scratch", "combined"]


def test_labelme_export_of_coco_of_labelme(labelme, words, class_map, tmp_path, runs):
    before = [load_annotation(s) for s in read_category(labelme, "sheet", "test", class_map)]
    runs("export-labelme", *words, "--split", "test", "--out", tmp_path / "labelme")
    again = read_category(
        tmp_path / "labelme", "sheet", "test", tmp_path / "labelme/sheet/class_map.json"
    )
    runs("export-coco", *words, "--split", "test", "--out", tmp_path / "coco.json")
    for path in (labelme / "sheet").rglob("*.json"):
        path.unlink()
    coco = read_category(labelme, "sheet", "test", tmp_path / "coco.json")
    for one, other, third in zip(before, again, coco, strict=True):
        for found in map(load_annotation, (other, third)):
            names = [
                np.array(["", *(a.names[i].name for i in sorted(a.names))])[a.classes]
                for a in (one, found)
            ]
            assert (names[0] == names[1]).all()
            assert ((found.instances > 0) == (one.instances > 0)).all()


def test_a_labelme_dataset_is_browsed(labelme, words, tmp_path, runs):
    runs("gallery", *words, "--out", tmp_path / "gallery")
    content = described(tmp_path / "gallery")
    assert {entry["name"] for entry in content["classes"]} == set(CLASS_MAP)
    labels = {picture["name"]: len(picture["labels"]) for picture in content["pictures"]}
    assert labels["sheet/test/002"] == 4 and labels["sheet/train/000"] == 0


def test_a_flat_labelme_folder_is_browsed_once(tmp_path, class_map, runs):
    image = write_image(tmp_path / "data/flat/0.png")
    write_labelme(image, [shape("dent", [[2, 3], [8, 3], [8, 7]])])
    out = tmp_path / "gallery"
    runs("gallery", "--data", tmp_path / "data", "--classes", class_map, "--out", out)
    assert [picture["name"] for picture in described(out)["pictures"]] == ["flat/test/0"]


def turned_dataset(root, tag, ending):
    """Write a defect on a picture that a tag turns upright, its mask in the upright frame."""
    exif = Image.Exif()
    exif[0x112] = tag
    path = root / f"plate/test/dent/0{ending}"
    path.parent.mkdir(parents=True)
    pixels = upright(SCENE, {6: 8}.get(tag, tag))
    options = {".jpg": {"quality": 100}, ".webp": {"lossless": True}}.get(ending, {})
    Image.fromarray(pixels).save(path, exif=exif, **options)
    assert frame_of(path).size == SCENE.shape
    mask = np.where(SCENE > 200, np.uint8(255), np.uint8(0))
    write_image(root / "plate/ground_truth/dent/0_mask.png", mask)
    return root


@pytest.mark.parametrize("tag", TURNED)
@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif", ".webp"])
def test_turned_pictures_are_exported_upright(tmp_path, tag, ending, runs):
    root = turned_dataset(tmp_path / "data", tag, ending)
    words = ("--data", root, "--category", "plate", "--mask-frame", "upright")
    expected = SCENE > 200

    runs("export-coco", *words, "--split", "test", "--out", tmp_path / "coco.json")
    content = json.loads((tmp_path / "coco.json").read_text())
    image, annotation = content["images"][0], content["annotations"][0]
    assert (image["height"], image["width"]) == SCENE.shape
    rle = annotation["segmentation"]
    assert (pycoco.decode({**rle, "counts": rle["counts"].encode()}) > 0).tolist() == (
        expected.tolist()
    )

    runs("export-labelme", *words, "--split", "test", "--out", tmp_path / "labelme")
    place = tmp_path / "labelme/plate"
    sample = read_category(place.parent, "plate", "test", place / "class_map.json")[0]
    # No tool needs to know of a tag: the picture is turned, and so are the shapes.
    assert frame_of(sample.image).orientation == 1
    assert np.abs(load_image(sample.image)[..., 0].astype(int) - SCENE).max() < 9
    assert (load_mask(sample) == expected).all()
    assert json.loads(sample.mask.read_text())["imageHeight"] == SCENE.shape[0]

    runs("gallery", *words, "--out", tmp_path / "gallery")
    picture = described(tmp_path / "gallery")["pictures"][0]
    assert picture["size"] == [SCENE.shape[1], SCENE.shape[0]]
    pictures = tmp_path / "gallery/pictures/plate/test/dent"
    overlay = cv2.imread(str(pictures / "0.1.full.png"), cv2.IMREAD_UNCHANGED)
    assert ((overlay[..., 3] > 0) == expected).all()
    thumb = cv2.imread(str(pictures / "0.jpg"), cv2.IMREAD_GRAYSCALE)
    assert thumb.shape == SCENE.shape and np.abs(thumb.astype(int) - SCENE)[expected].mean() < 40
    assert ("copy" in picture) == (ending != ".jpg") == (pictures / "0.full.png").is_file()
    if "copy" in picture:
        assert (load_image(pictures / "0.full.png")[..., 0] == SCENE).all()


def test_a_mask_that_fits_twice_is_one_line(tmp_path, refused):
    root = turned_dataset(tmp_path / "data", 3, ".png")
    write_image(root / "plate/test/good/0.png", SCENE)
    words = ("--data", root, "--category", "plate", "--split", "test", "--out", tmp_path / "c.json")
    assert "say with --mask-frame stored or upright" in refused("export-coco", *words)
    assert not (tmp_path / "c.json").exists()


def test_the_white_level_of_exports(tmp_path, runs, refused):
    values = np.full((6, 7), 2048, np.uint16)
    write_image(tmp_path / "data/plate/train/good/0.png", values)
    words = ("--data", tmp_path / "data", "--category", "plate", "--split", "train")
    out = tmp_path / "labelme"
    runs("export-labelme", *words, "--white-level", 4095, "--out", out)
    assert (load_image(out / "plate/train/good/0.png") == 128).all()
    line = refused("export-labelme", *words, "--white-level", 1000, "--out", tmp_path / "other")
    assert "has values up to 2048, expected white at 1000" in line
    for wrong in ("0", "70000", "white"):
        assert "--white-level" in refused(
            "gallery", *words[:4], "--white-level", wrong, "--out", out
        )


def test_a_dark_set_is_told_by_what_shows_it(tmp_path, capsys):
    for number in range(2):
        path = tmp_path / f"data/plate/train/good/{number}.png"
        write_image(path, np.full((6, 7), 2048 + number, np.uint16))
    data = ("--data", str(tmp_path / "data"), "--category", "plate")
    for words in (("gallery", *data), ("export-labelme", *data, "--split", "train")):
        for told in ((), ("--white-level", "4095")):
            out = tmp_path / f"{words[0]}{len(told)}"
            assert main([*words, *told, "--out", str(out)]) == 0
            line = "values up to 2049 only, of 65535; if the camera has 12 bits, give --white-level"
            assert (line in capsys.readouterr().err) == (not told)


def test_a_class_map_serves_the_categories_that_need_it(labelme, class_map, mvtec, tmp_path, runs):
    root = labelme
    shutil.copytree(mvtec() / "plate", root / "plate")
    for kind in ("test", "ground_truth"):
        folder = next(path for path in (root / "plate" / kind).iterdir() if path.name != "good")
        folder.rename(folder.with_name("hole"))
    out = tmp_path / "gallery"
    runs("gallery", "--data", root, "--classes", class_map, "--out", out)
    content = described(out)
    assert {picture["category"] for picture in content["pictures"]} == {"plate", "sheet"}
    names = {entry["name"] for entry in content["classes"]}
    assert names > set(CLASS_MAP) and len({e["index"] for e in content["classes"]}) == len(names)
    kinds = {p["kind"] for p in content["pictures"] if p["category"] == "plate" and p["labels"]}
    assert kinds and "good" not in kinds and kinds <= names


def test_a_class_map_for_masks_alone_is_refused(labelme, class_map, mvtec, tmp_path, refused):
    words = ("--data", mvtec(), "--classes", class_map, "--out", tmp_path / "gallery")
    assert "mask is left over, since a class map" in refused("gallery", *words)
    shutil.copytree(mvtec() / "plate", labelme / "plate")
    shutil.copy(labelme / "sheet/test/002.json", labelme / "plate/test/extra.json")
    words = ("--data", labelme, "--classes", class_map, "--out", tmp_path / "gallery")
    assert "mask is left over, since a class map" in refused("gallery", *words)


def test_names_that_are_no_utf8_survive(tmp_path, runs):
    name = os.fsdecode(b"pr\xfcf")
    folder = tmp_path / "data/plate/train/good"
    folder.mkdir(parents=True)
    pixels = cv2.imencode(".png", np.full((6, 7), 9, np.uint8))[1].tobytes()
    (folder / f"{name}.png").write_bytes(pixels)
    words = ("--data", tmp_path / "data", "--category", "plate")
    runs("export-coco", *words, "--split", "train", "--out", tmp_path / "coco.json")
    image = json.loads((tmp_path / "coco.json").read_text(encoding="utf-8"))["images"][0]
    assert (tmp_path / "data" / image["file_name"]).read_bytes() == pixels
    runs("export-labelme", *words, "--split", "train", "--out", tmp_path / "labelme")
    assert (tmp_path / f"labelme/plate/train/good/{name}.png").read_bytes() == pixels
    for _ in range(2):
        runs("gallery", *words, "--out", tmp_path / "gallery")
        picture = described(tmp_path / "gallery")["pictures"][0]
        assert picture["name"] == "plate/train/good/pr\\udcfcf"
        file = os.fsdecode(unquote_to_bytes(picture["file"]))
        assert (tmp_path / "data" / file).read_bytes() == pixels
        thumb = os.fsdecode(unquote_to_bytes(picture["url"]))
        assert (tmp_path / "gallery" / f"{thumb}.jpg").is_file()


def test_defects_without_masks_are_browsed_but_not_exported(mvtec, tmp_path, runs, refused):
    root = mvtec()
    shutil.rmtree(root / "plate/ground_truth")
    runs("gallery", "--data", root, "--out", tmp_path / "gallery")
    kinds = {
        picture["kind"]: picture["labels"]
        for picture in described(tmp_path / "gallery")["pictures"]
    }
    assert kinds == {"good": [], "dent": [], "scratch": []}
    words = ("--data", root, "--category", "plate", "--split", "test", "--out", tmp_path / "out")
    for command in ("export-coco", "export-labelme"):
        # An export without its labels would turn it into a good picture.
        assert "has no mask, only its class dent is known" in refused(command, *words)
        assert not (tmp_path / "out").exists()


def test_loco_defects_are_the_classes_of_exports(loco, tmp_path, runs):
    entries = [
        {
            "defect_name": name,
            "pixel_value": value,
            "saturation_threshold": 9.0,
            "relative_saturation": False,
        }
        for name, value in (("missing", 255), ("surplus", 254))
    ]
    (loco / "connector/defects_config.json").write_text(json.dumps(entries))
    words = ("--data", loco, "--category", "connector")
    runs("export-coco", *words, "--split", "test", "--out", tmp_path / "coco.json")
    content = json.loads((tmp_path / "coco.json").read_text())
    names = {c["id"]: c["name"] for c in content["categories"]}
    assert {names[a["category_id"]] for a in content["annotations"]} == {"missing", "surplus"}
    runs("gallery", *words[:2], "--out", tmp_path / "gallery")
    assert len(described(tmp_path / "gallery")["pictures"]) == 4
