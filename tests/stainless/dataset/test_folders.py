"""Folder shapes that people have: nested, linked, hidden, loose, without masks."""

from __future__ import annotations

import os
import shutil
import unicodedata
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image
from support.datasets import SIZE, write_image, write_mask

from stainless.dataset import (
    has_split,
    has_validation,
    list_categories,
    list_images,
    load_image,
    load_mask,
    read_category,
)
from stainless.errors import DataWarning, InputError


def names(root, split, category="plate", **options):
    return [sample.name for sample in read_category(root, category, split, **options)]


@pytest.fixture(autouse=True)
def _strict():
    """What is not expected to be told is not told."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        yield


def test_nested_folders_belong_to_their_class(mvtec):
    root = mvtec()
    write_image(root / "plate/train/good/lot7/a/000.png")
    write_image(root / "plate/test/good/lot7/000.png")
    for lot, top in (("lot7", 2), ("lot8", 9)):
        write_image(root / f"plate/test/dent/{lot}/000.png")
        write_mask(root / f"plate/ground_truth/dent/{lot}/000_mask.png", top=top)
    assert "train/good/lot7/a/000" in names(root, "train")
    found = {s.name: s for s in read_category(root, "plate", "test")}
    assert {"test/good/lot7/000", "test/dent/000", "test/dent/lot7/000"} <= set(found)
    for lot, top in (("lot7", 2), ("lot8", 9)):
        assert load_mask(found[f"test/dent/{lot}/000"]).any(axis=1).argmax() == top
    left = write_mask(root / "plate/ground_truth/dent/lot9/000_mask.png")
    with pytest.raises(InputError, match="without an image of its name") as caught:
        names(root, "test")
    assert str(left) in str(caught.value)


def test_nested_folders_of_masks(loco):
    write_image(loco / "connector/test/logical_anomalies/lot/001.png")
    truth = loco / "connector/ground_truth/logical_anomalies/lot/001"
    write_mask(truth / "000.png", top=2)
    write_mask(truth / "001.png", top=12)
    found = {s.name: s for s in read_category(loco, "connector", "test")}
    assert load_mask(found["test/logical_anomalies/lot/001"]).sum() == 70


def test_a_plain_folder_of_lots(tmp_path):
    for lot in ("monday", "tuesday/late"):
        write_image(tmp_path / f"photos/{lot}/000.jpg")
    assert names(tmp_path, "train", "photos") == [
        "train/good/monday/000",
        "train/good/tuesday/late/000",
    ]
    write_image(tmp_path / "photos/test/bad/000.png")
    with pytest.raises(InputError, match=r"photos/train: no such folder"):
        names(tmp_path, "train", "photos")


def test_a_dataset_is_no_plain_folder_of_pictures(mvtec):
    root = mvtec()
    with pytest.raises(InputError, match=r"lies in a folder \w+/, expected a category"):
        names(root.parent, "train", root.name)


def test_linked_folders_are_entered_once(mvtec, tmp_path):
    root = mvtec()
    elsewhere = write_image(tmp_path / "store/lot1/007.png").parent
    (root / "plate/train/good/linked").symlink_to(elsewhere, target_is_directory=True)
    (elsewhere / "back").symlink_to(elsewhere, target_is_directory=True)
    assert "train/good/linked/007" in names(root, "train")
    assert sum("007" in name for name in names(root, "train")) == 1
    linked = tmp_path / "by_link"
    linked.symlink_to(root, target_is_directory=True)
    assert names(linked, "test") == names(root, "test")


@pytest.mark.parametrize(
    "hidden", [".ipynb_checkpoints", ".thumbnails", ".AppleDouble", "__MACOSX", "@eaDir"]
)
def test_hidden_folders_are_never_entered(mvtec, labelme, hidden):
    root = mvtec()
    for split in ("train", "test", "validation"):
        expected = names(root, split) if split != "validation" else None
        write_image(root / f"plate/{split}/good/{hidden}/000.png")
        write_image(root / f"plate/{split}/{hidden}/001.png")
        if expected:
            assert names(root, split) == expected
    write_mask(root / f"plate/ground_truth/dent/{hidden}/009_mask.png")
    write_mask(root / f"plate/ground_truth/{hidden}/009_mask.png")
    write_image(root / f"{hidden}/train/good/000.png")
    names(root, "test")
    assert list_categories(root) == ["plate"]
    write_image(labelme / f"sheet/test/{hidden}/000.png")
    assert (
        len(
            names(
                labelme,
                "test",
                "sheet",
                classes={
                    "scratch": "defect",
                    "dent": "defect",
                    "stain": "impurity",
                    "blur": "ignore",
                },
            )
        )
        == 3
    )
    assert list_images(root / "plate/train", deep=True) == list_images(root / "plate/train/good")


def test_a_dataset_below_a_hidden_folder_is_read(tmp_path):
    write_image(tmp_path / ".cache/data/plate/train/good/000.png")
    assert names(tmp_path / ".cache/data", "train") == ["train/good/000"]
    assert len(list_images(tmp_path / ".cache/data", deep=True)) == 1


def test_the_folder_that_one_is_in(mvtec, monkeypatch):
    root = mvtec()
    write_image(root / "plate/train/good/lot7/a/000.png")
    expected = names(root, "train")
    monkeypatch.chdir(root / "plate")
    assert names(".", "train", ".") == expected == names("..", "train")
    assert len(names(".", "test", ".")) == 7
    monkeypatch.chdir(root / "plate/train/good")
    assert names(".", "train", ".") == expected


def test_what_is_skipped_is_named(mvtec):
    root = mvtec()
    before = names(root, "train"), names(root, "test")
    gif = root / "plate/train/good/a.gif"
    gif.write_bytes(b"GIF89a")
    with pytest.warns(DataWarning, match=r"a\.gif: skipped, no format that is read") as told:
        assert names(root, "train") == before[0]
    assert len(told) == 1
    gif.unlink()
    for number in range(3):
        write_image(root / f"plate/test/loose{number}.png")
    with pytest.warns(DataWarning, match=r"loose0\.png and 2 more: skipped, it lies in no folder"):
        assert names(root, "test") == before[1]
    write_image(root / "plate/overview.png")
    with pytest.warns(DataWarning, match=r"overview\.png: skipped, it lies in no folder"):
        names(root, "train")


def test_webp_is_read(tmp_path):
    path = write_image(tmp_path / "photos/a.webp", np.full((4, 5), 9, np.uint8))
    assert names(tmp_path, "train", "photos") == ["train/good/a"]
    data = path.read_bytes()
    path.write_bytes(data[:-3])
    with pytest.raises(InputError, match="is truncated"):
        load_image(path)


@pytest.mark.parametrize("ending", [".tif", ".webp", ".png"])
def test_a_second_page_is_told(tmp_path, ending):
    first = Image.fromarray(np.full((4, 5), 9, np.uint8))
    rest = [Image.fromarray(np.full((4, 5), 90, np.uint8))]
    path = tmp_path / f"a{ending}"
    options = {"lossless": True} if ending == ".webp" else {}
    first.save(path, save_all=True, append_images=rest, **options)
    with pytest.warns(DataWarning, match=r"has 2 pages, of which only the first is read"):
        assert (load_image(path) == 9).all()


def test_a_mask_beside_its_picture_is_no_picture(mvtec, tmp_path):
    root = mvtec()
    path = write_mask(root / "plate/train/good/000_mask.png")
    with pytest.raises(InputError, match="is the mask of 000, expected it below") as caught:
        names(root, "train")
    assert str(path) in str(caught.value)
    write_image(tmp_path / "photos/face_mask.png")
    assert names(tmp_path, "train", "photos") == ["train/good/face_mask"]


@pytest.mark.parametrize(
    "place", ["a_mask.png", "a_label.bmp", "a_GT.png", "masks/a.png", "lot/mask/a_mask.png"]
)
def test_masks_among_pictures_of_a_plain_folder(tmp_path, place):
    write_image(tmp_path / "photos/a.jpg")
    path = write_mask(tmp_path / "photos" / place)
    with pytest.raises(InputError, match=r"a mask|is the mask") as caught:
        names(tmp_path, "train", "photos")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("place", ["masks/a.png", "ground_truth/dent/a_mask.png", "labels/a.bmp"])
def test_masks_beside_a_plain_folder(tmp_path, place):
    write_image(tmp_path / "photos/a.jpg")
    path = write_mask(tmp_path / place)
    with pytest.raises(InputError, match="seems to be the mask of a picture in") as caught:
        names(tmp_path, "train", "photos")
    assert str(path) in str(caught.value)
    path.rename(path.with_name("other.png"))
    assert names(tmp_path, "train", "photos") == ["train/good/a"]


def test_a_class_may_be_named_label(tmp_path):
    write_image(tmp_path / "plate/test/label/a.png")
    write_mask(tmp_path / "plate/ground_truth/label/a_mask.png")
    write_image(tmp_path / "plate/test/good/b.png")
    assert names(tmp_path, "test") == ["test/good/b", "test/label/a"]


@pytest.mark.parametrize(
    "name",
    [
        "OK",
        "Good",
        "okay",
        "Normal",
        "pass",
        "gut",
        "no defect",
        "defect-free",
        "non_defective",
        "i.o.",
    ],
)
def test_another_name_for_good_is_hinted_at(mvtec, name):
    root = mvtec()
    for split in ("train", "test"):
        (root / f"plate/{split}/good").rename(root / f"plate/{split}/{name}")
    with pytest.raises(InputError, match=r"must be nominal, in .*good; rename it to good"):
        names(root, "train")
    with pytest.raises(InputError, match=f"has no mask; .*; if its pictures .* rename .*{name}"):
        names(root, "test")

    shutil.rmtree(root / "plate/ground_truth")
    with pytest.raises(InputError, match=f"{name}: counts as a class of defects; if .* rename"):
        names(root, "test")


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        ("Train", "Test", "test"),
        ("training", "testing", "test"),
        ("train", "TEST", "test"),
        ("Training", "test", "train"),
        ("TRAIN_SET", "test", "train"),
    ],
)
@pytest.mark.parametrize("classes", [None, {"dent": "defect"}])
def test_splits_of_other_names_are_refused(tmp_path, train, test, expected, classes):
    write_image(tmp_path / f"plate/{train}/good/0.png")
    for label in ("good", "bad"):
        write_image(tmp_path / f"plate/{test}/{label}/1.png")
    for split in ("train", "test"):
        with pytest.raises(InputError, match=f"expected it to be named {expected}$"):
            names(tmp_path, split, classes=classes)


@pytest.mark.parametrize("name", ["val", "Valid", "Validation"])
def test_a_validation_split_of_another_name_is_refused(mvtec, name):
    root = mvtec()
    write_image(root / f"plate/{name}/good/0.png")
    with pytest.raises(InputError, match=f"{name}: seems .* named validation$"):
        names(root, "train")


@pytest.mark.parametrize(
    "places",
    [("good/0", "bad/1"), ("OK/0", "scratch/1"), ("0", "NG/1"), ("lot/gut/0", "lot/dent/1")],
)
def test_classes_in_a_plain_folder_are_refused(tmp_path, places):
    for place in places:
        write_image(tmp_path / f"photos/{place}.png")
    with pytest.raises(InputError, match=r"class of pictures, .* expected .*photos/test/.* for t"):
        names(tmp_path, "train", "photos")


def test_a_plain_folder_of_good_pictures_alone(tmp_path):
    write_image(tmp_path / "photos/good/lot/0.png")
    write_image(tmp_path / "photos/good/late/0.png")
    assert names(tmp_path, "train", "photos") == [
        "train/good/good/late/0",
        "train/good/good/lot/0",
    ]


def test_without_any_mask_defects_are_known_by_picture(mvtec):
    root = mvtec()
    assert {s.truth for s in read_category(root, "plate", "test")} == {"pixel"}

    shutil.rmtree(root / "plate/ground_truth/dent")
    with pytest.raises(InputError, match="has no mask"):
        names(root, "test")
    shutil.rmtree(root / "plate/ground_truth")
    samples = read_category(root, "plate", "test")
    assert {(s.label, s.truth) for s in samples} == {
        ("good", "pixel"),
        ("dent", "picture"),
        ("scratch", "picture"),
    }
    dent = next(s for s in samples if s.label == "dent")
    with pytest.raises(InputError, match="has no mask, only its class dent is known"):
        load_mask(dent)
    assert not load_mask(next(s for s in samples if s.is_good)).any()


def test_nominal_validation_splits(mvtec):
    root = mvtec()
    assert not has_validation(root, "plate") and not has_split(root, "plate", "validation")
    write_image(root / "plate/validation/good/lot/000.png")
    assert names(root, "validation") == ["validation/good/lot/000"]
    assert has_split(root, "plate", "validation")
    write_image(root / "plate/validation/dent/000.png")
    with pytest.raises(InputError, match="dent: validation images must be nominal"):
        names(root, "validation")
    write_image(root / "validation/plate/test/good/001.png")
    assert names(root, "validation") == ["validation/good/001"]


def test_names_are_equal_however_their_letters_are_composed(mvtec):
    root = mvtec()
    one, other = (unicodedata.normalize(form, "prüfling é") for form in ("NFC", "NFD"))
    assert one != other
    write_image(root / f"plate/test/dent/{one}.png")
    write_mask(root / f"plate/ground_truth/dent/{other}_mask.png", top=11)
    write_image(root / f"plate/test/scratch/{other}.png")
    write_mask(root / f"plate/ground_truth/scratch/{one}.png", top=12)
    found = {s.name: s for s in read_category(root, "plate", "test")}
    assert load_mask(found[f"test/dent/{one}"]).any(axis=1).argmax() == 11
    assert load_mask(found[f"test/scratch/{other}"]).any(axis=1).argmax() == 12


def test_a_name_that_is_no_utf8(mvtec):
    root = mvtec()
    name = os.fsdecode(b"pr\xfcfling")
    pixels = np.full(SIZE, 77, np.uint8)
    for path in (f"plate/test/dent/{name}.png", f"plate/train/good/{name}.png"):
        (root / path).write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    mask = cv2.imencode(".png", np.eye(*SIZE, dtype=np.uint8) * 255)[1].tobytes()
    (root / f"plate/ground_truth/dent/{name}_mask.png").write_bytes(mask)
    found = {s.name: s for s in read_category(root, "plate", "test")}
    sample = found[f"test/dent/{name}"]
    assert (sample.load() == 77).all() and load_mask(sample).sum() == min(SIZE)
    assert f"train/good/{name}" in names(root, "train")
    for encoding in ("utf-8", "cp1252"):
        rows = [f"{s.image.relative_to(root / 'plate').as_posix()},1" for s in found.values()]
        text = "image,group\n" + "\n".join(rows).replace("\udcfc", "ü")
        (root / "plate/groups.csv").write_bytes(text.encode(encoding))
        assert {s.group for s in read_category(root, "plate", "test")} == {"1"}
