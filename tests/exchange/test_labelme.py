"""LabelMe files: LabelMe would load them, and training reads the very same masks from them."""

from __future__ import annotations

import base64
import json

import cv2
import numpy as np
import pytest
from exchange_data import SIZE, write

from stainless.dataset import load_annotation, load_image, load_mask, read_category

#: What LabelMe's own loader asks of a file and of a shape: key, type, whether it must be there.
FILE_KEYS = {"version": str, "flags": dict, "shapes": list, "imagePath": str}
SHAPE_KEYS = {"label": str, "points": list, "shape_type": str, "flags": dict, "description": str}


def export(runs, root, out, split):
    words = ["--data", root, "--category", "stained", "--split", split, "--out", out]
    return runs("export-labelme", *words)


@pytest.mark.parametrize("split, count", [("train", 1), ("test", 2), ("validation", 1)])
def test_training_reads_the_same_masks_and_instances(root, tmp_path, runs, split, count):
    out = tmp_path / "labelme"
    export(runs, root, out, split)
    before = read_category(root, "stained", split)
    after = read_category(out, "stained", split, out / "stained/class_map.json")
    assert [sample.name for sample in after] == [sample.name for sample in before]
    assert len(after) == count
    for old, new in zip(before, after, strict=True):
        assert (load_image(new.image) == load_image(old.image)).all()
        assert (load_mask(new) == load_mask(old)).all()
        assert new.is_good == old.is_good
        was, now = load_annotation(old), load_annotation(new)
        for index, known in now.names.items():
            there = next(i for i, other in was.names.items() if other.name == known.name)
            assert was.names[there].kind == known.kind
            assert ((now.classes == index) == (was.classes == there)).all()
        assert set(was.instances[was.classes != 5].tolist()) > {0}
        told_apart = was.instances > 0
        # The reader numbers all anew as soon as one shape has no number of its own.
        pairs = np.unique(
            np.stack([was.instances[told_apart], now.instances[told_apart]]), axis=1
        ).T.tolist()
        assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)


def test_instances_keep_their_numbers(root, tmp_path, runs):
    path = root / "annotations/stained/test/bad/002_class.png"
    classes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    classes[classes == 5] = 0
    write(path, classes)
    out = tmp_path / "labelme"
    export(runs, root, out, "test")
    old = load_annotation(read_category(root, "stained", "test")[0])
    new = load_annotation(read_category(out, "stained", "test", out / "stained/class_map.json")[0])
    assert (new.instances == old.instances).all() and set(np.unique(old.instances)) > {701, 702}


def test_pictures_without_anything_have_a_file_too(root, tmp_path, runs):
    out = tmp_path / "labelme"
    words = ["--data", root, "--category", "clean", "--split", "test", "--out", out]
    runs("export-labelme", *words)
    files = sorted((out / "clean/test").rglob("*.json"))
    assert [path.name for path in files] == ["001.json", "002.json"]
    assert all(json.loads(path.read_text())["shapes"] == [] for path in files)


def test_files_are_as_labelme_loads_them(root, tmp_path, runs):
    out = tmp_path / "labelme"
    export(runs, root, out, "test")
    files = sorted(out.rglob("test/**/*.json"))
    assert [path.stem for path in files] == ["002", "001"]
    for path in files:
        content = json.loads(path.read_text(encoding="utf-8"))
        assert {key: type(content[key]) for key in FILE_KEYS} == FILE_KEYS
        assert content["imageData"] is None
        picture = cv2.imread(str(path.parent / content["imagePath"]))
        assert picture.shape[:2] == (content["imageHeight"], content["imageWidth"]) == SIZE
        assert content["shapes"]
        for shape in content["shapes"]:
            assert {key: type(shape[key]) for key in SHAPE_KEYS} == SHAPE_KEYS
            assert type(shape["group_id"]) in (int, type(None))
            (left, top), (right, bottom) = shape["points"]
            data = np.frombuffer(base64.b64decode(shape["mask"], validate=True), np.uint8)
            patch = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            # LabelMe pastes into mask[top : bottom + 1, left : right + 1].
            assert patch.shape == (bottom - top + 1, right - left + 1)
            assert patch.any(axis=0)[[0, -1]].all() and patch.any(axis=1)[[0, -1]].all()


def test_deep_pictures_become_such_as_labelme_shows(root, tmp_path, runs):
    deep = np.full(SIZE, 40_000, np.uint16)
    write(root / "stained/test/good/001.png", deep)
    out = tmp_path / "labelme"
    export(runs, root, out, "test")
    shown = cv2.imread(str(out / "stained/test/good/001.png"), cv2.IMREAD_UNCHANGED)
    assert shown.dtype == np.uint8 and (shown == round(40_000 / 257)).all()


def test_corrections_are_never_lost(root, tmp_path, runs, refused):
    out = tmp_path / "labelme"
    export(runs, root, out, "test")
    export(runs, root, out, "train")
    files = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (out / "stained/test/good/001.json").unlink()
    (out / "stained/test/good/.000.1.partial.json").write_text("{")
    export(runs, root, out, "test")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == files

    words = ["--data", root, "--category", "stained", "--split", "test", "--out", out]
    corrected = out / "stained/test/bad/002.json"
    corrected.write_text('{"shapes": []}')
    assert f"{corrected}: is there and differs" in refused("export-labelme", *words)
    assert corrected.read_text() == '{"shapes": []}'
    stray = write(out / "stained/test/good/mine.png", np.zeros(SIZE, np.uint8))
    assert f"{stray}: is not of this export" in refused("export-labelme", *words)
    assert stray.exists()
    words[-1] = root / "labelme"
    assert "lies in the dataset" in refused("export-labelme", *words)
    assert not words[-1].exists()


def test_a_broken_picture_is_not_handed_on(root, tmp_path, refused):
    broken = root / "stained/test/bad/002.png"
    broken.write_bytes(broken.read_bytes()[:-30])
    out = tmp_path / "labelme"
    words = ["--data", root, "--category", "stained", "--split", "test", "--out", out]
    assert f"{broken}: is truncated" in refused("export-labelme", *words)
    assert not list(out.rglob("*.png"))
