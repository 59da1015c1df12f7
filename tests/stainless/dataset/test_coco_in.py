"""COCO files in: polygons, run lengths and boxes mark what pycocotools says they mark."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as pycoco
from support.datasets import SIZE, write_image, write_mask

from stainless.dataset import load_annotation, load_mask, read_category
from stainless.dataset.rle import compressed, decompressed, run_lengths, run_mask
from stainless.errors import InputError

CLASSES = {"dent": "defect", "scratch": "defect", "stain": "impurity", "blur": "ignore"}
NAMES = list(CLASSES)


def coco(files, annotations, supercategories=("",) * 4, **more):
    return {
        "images": [
            {"id": number, "file_name": name, "height": SIZE[0], "width": SIZE[1]}
            for number, name in enumerate(files)
        ],
        "categories": [
            {"id": number, "name": name, "supercategory": kind}
            for number, (name, kind) in enumerate(zip(NAMES, supercategories, strict=True), 7)
        ],
        "annotations": [
            {"id": number, "image_id": image, "category_id": 7 + NAMES.index(name), **shape}
            for number, (image, name, shape) in enumerate(annotations)
        ],
        **more,
    }


BOX = {"bbox": [2, 3, 6, 4]}
POLYGON = {"segmentation": [[2, 3, 8, 3, 8, 7, 2, 7]], "bbox": [0, 0, 1, 1]}


@pytest.fixture
def sheet(tmp_path):
    for name in ("a", "b", "c"):
        write_image(tmp_path / f"sheet/test/{name}.png")
    return tmp_path


def write(root, content, place="sheet/test/_annotations.coco.json"):
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def read(root, classes=CLASSES, split="test"):
    return read_category(root, "sheet", split, classes)


FILES = ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize("form", [BOX, POLYGON, {"segmentation": [], **BOX}, {**BOX, "iscrowd": 1}])
def test_shapes_and_labels(sheet, form):
    write(sheet, coco(FILES, [(1, "dent", form), (2, "stain", form)]))
    good, dent, stained = read(sheet)
    assert (good.label, dent.label, stained.label) == ("good", "dent", "good")
    expected = np.zeros(SIZE, bool)
    expected[3:7, 2:8] = True
    assert (load_mask(dent) == expected).all() and not load_mask(good).any()
    classes, instances, names = load_annotation(stained)
    assert {names[index].name for index in np.unique(classes[expected])} == {"stain"}
    assert (instances[expected] == (0 if form.get("iscrowd") else 1)).all()
    assert not load_mask(stained).any()


def test_several_defects_and_what_covers_what(sheet):
    other = {"bbox": [4, 3, 6, 4]}
    content = coco(FILES, [(0, "dent", BOX), (0, "stain", other), (0, "scratch", other)])
    write(sheet, content)
    sample = read(sheet)[0]
    assert sample.label == "combined"
    classes, instances, names = load_annotation(sample)
    assert names[int(classes[3, 2])].name == "dent" and names[int(classes[3, 9])].name == "scratch"
    assert len(np.unique(instances)) == 3


masks = arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@settings(max_examples=80, deadline=None)
@given(masks)
def test_run_lengths_are_those_of_coco(mask):
    lengths = run_lengths(np.flatnonzero(mask.T), mask.size)
    assert (run_mask(lengths, mask.shape) == mask).all()
    text = compressed(lengths.copy())
    assert decompressed(text).tolist() == lengths.tolist()
    theirs = pycoco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    assert (run_mask(decompressed(theirs), mask.shape) == mask).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40000), min_size=1, max_size=30))
def test_any_run_lengths_come_back(lengths):
    assert decompressed(compressed(np.array(lengths, np.int64))).tolist() == lengths


@pytest.mark.parametrize("as_text", [True, False])
def test_run_lengths_in_a_file(sheet, as_text):
    mask = np.random.default_rng(3).random(SIZE) < 0.3
    lengths = run_lengths(np.flatnonzero(mask.T), mask.size)
    counts = compressed(lengths.copy()) if as_text else lengths.tolist()
    form = {"segmentation": {"size": list(SIZE), "counts": counts}, "instance": 40}
    write(sheet, coco(FILES, [(0, "dent", form)]))
    sample = read(sheet)[0]
    assert (load_mask(sample) == mask).all()
    assert set(np.unique(load_annotation(sample).instances)) == {0, 40}


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("sheet/test/_annotations.coco.json", FILES),
        ("sheet/annotations/instances_default.json", FILES),
        ("sheet/annotations/instances_test.json", [f"test/{name}" for name in FILES]),
        ("sheet/result.json", [f"test\\{name}" for name in FILES]),
        ("sheet/result.json", [f"/upload/1/{name}" for name in FILES]),
        ("sheet/result.json", [f"sheet/test/{name}" for name in FILES]),
    ],
)
def test_files_of_many_tools_are_found(sheet, place, names):
    write(sheet, coco(names, [(1, "dent", POLYGON)]), place)
    assert [s.label for s in read(sheet)] == ["good", "dent", "good"]


def test_a_flat_folder_of_images_and_annotations(tmp_path):
    for name in FILES:
        write_image(tmp_path / "sheet/images/default" / name)
    content = coco(FILES, [(1, "dent", POLYGON)])
    write(tmp_path, content, "sheet/annotations/instances_default.json")
    assert [s.label for s in read(tmp_path)] == ["good", "dent", "good"]


def test_each_split_has_its_own_file(sheet):
    write_image(sheet / "sheet/train/a.png")
    write(sheet, coco(FILES, [(1, "dent", BOX)]), "sheet/annotations/instances_test.json")
    write(sheet, coco(["a.png"], []), "sheet/annotations/instances_train.json")
    assert [s.label for s in read(sheet)] == ["good", "dent", "good"]
    assert [s.name for s in read(sheet, split="train")] == ["train/a"]


def test_one_file_for_all_splits(sheet):
    write_image(sheet / "sheet/train/a.png")
    names = ["train/a.png", *(f"test/{name}" for name in FILES)]
    write(sheet, coco(names, [(2, "dent", BOX)]), "sheet/all.json")
    assert [s.label for s in read(sheet)] == ["good", "dent", "good"]
    assert len(read(sheet, split="train")) == 1
    write(sheet, coco(names, [(0, "dent", BOX)]), "sheet/all.json")
    with pytest.raises(InputError, match=r"marks a defect on a\.png, but training images"):
        read(sheet, split="train")


@pytest.mark.parametrize("name", ["instances_val.json", "train.json", "labels_valid.json"])
@pytest.mark.parametrize("prefix", ["", "test/", "images/"])
def test_the_entries_say_which_split_a_file_is_about(sheet, name, prefix):
    for other in ("train", "validation"):
        write_image(sheet / f"sheet/{other}/z.png")
    path = write(
        sheet, coco([f"{prefix}{file}" for file in FILES], [(1, "dent", BOX)]), "sheet/" + name
    )
    assert [sample.label for sample in read(sheet)] == ["good", "dent", "good"]
    path.write_text(json.dumps(coco([f"{prefix}{file}" for file in FILES[1:]], [])))
    with pytest.raises(InputError, match=r"a\.png: is not listed in"):
        read(sheet)


def test_a_name_of_another_split_hides_no_defect_from_training(sheet):
    write_image(sheet / "sheet/train/a.png")
    write(sheet, coco(["train/a.png"], [(0, "dent", BOX)]), "sheet/test_labels.json")
    with pytest.raises(InputError, match=r"marks a defect on a\.png, but training images"):
        read(sheet, split="train")
    write(sheet, coco(["x.png"], [(0, "dent", BOX)]), "sheet/test_labels.json")
    with pytest.raises(InputError, match=r"has labels of x\.png, which is nowhere"):
        read(sheet, split="train")


def test_names_that_either_split_has_go_by_the_name_of_the_file(sheet):
    for name in FILES:
        write_image(sheet / "sheet/train" / name)
    write(sheet, coco(FILES, []), "sheet/annotations/instances_train.json")
    write(sheet, coco(FILES, [(1, "dent", BOX)]), "sheet/annotations/instances_test.json")
    assert [sample.label for sample in read(sheet)] == ["good", "dent", "good"]
    assert [sample.label for sample in read(sheet, split="train")] == ["good"] * 3


def test_without_a_validation_split_val_stands_for_test(sheet):
    for name in FILES:
        write_image(sheet / "sheet/train" / name)
    write(sheet, coco(FILES, [(1, "dent", BOX)]), "sheet/instances_val.json")
    assert [sample.label for sample in read(sheet)] == ["good", "dent", "good"]
    assert [sample.label for sample in read(sheet, split="train")] == ["good"] * 3


def test_a_file_whose_supercategories_say_it_all(sheet):
    kinds = tuple(CLASSES.values())
    own = write(sheet, coco(FILES, [(1, "dent", BOX), (2, "stain", BOX)], kinds), "labels.json")
    content = json.loads(own.read_text())
    for image in content["images"]:
        image["file_name"] = f"sheet/test/{image['file_name']}"
    own.write_text(json.dumps(content))
    assert [s.label for s in read(sheet, own)] == ["good", "dent", "good"]
    own.write_text(json.dumps(coco(FILES, [], ("part",) * 4)))
    with pytest.raises(InputError, match="supercategory 'part', expected defect, impurity, ignore"):
        read(sheet, own)


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda c: c["images"].pop(1), "image_id 1, not listed"),
        (lambda c: c["categories"].pop(0), "category_id 7, not listed"),
        (lambda c: c["images"][1].pop("file_name"), "lacks a key"),
        (lambda c: c["annotations"][0].pop("category_id"), "lacks a key"),
        (lambda c: c["images"][0].update(file_name="b.png"), "is listed twice"),
        (lambda c: c["images"].append({"id": 9, "file_name": "test/b.png"}), "listed by .* too"),
        (lambda c: c["images"][1].update(file_name="x.png"), r"labels of x\.png, which is nowhere"),
        (lambda c: c["images"].pop(2), r"c\.png: is not listed in"),
        (lambda c: c["categories"][0].update(name="rust"), "'rust' is not in the class map"),
    ],
)
def test_bad_files_are_one_line(sheet, spoil, line):
    content = coco(FILES, [(1, "dent", BOX)])
    spoil(content)
    write(sheet, content)
    with pytest.raises(InputError, match=line) as caught:
        read(sheet)
    assert "\n" not in str(caught.value) and str(sheet) in str(caught.value)


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ({}, "'dent' has a bad shape: 'bbox'"),
        ({"segmentation": [[1, 2, 3, 4]]}, "three points or more"),
        ({"segmentation": [[1, 2, 3, 4, 5, float("nan")]]}, "no number"),
        ({"segmentation": {"size": [3, 3], "counts": [9]}}, r"its size is \[3, 3\]"),
        ({"segmentation": {"size": list(SIZE), "counts": [9]}}, "do not fill 32x24 pixels"),
        ({"segmentation": {"size": list(SIZE), "counts": "é"}}, "bad shape"),
        ({"segmentation": {"size": list(SIZE), "counts": [1e400]}}, "no whole number of pixels"),
        ({"segmentation": {"size": list(SIZE), "counts": [10**400]}}, "bad shape"),
        ({"segmentation": {"size": list(SIZE), "counts": [767.5, 0.5]}}, "no whole number"),
        ({"segmentation": {"size": list(SIZE), "counts": [2**62] * 4}}, "no whole number"),
        ({"segmentation": {"size": list(SIZE), "counts": "o" * 99 + "0"}}, "bad shape"),
        ({"segmentation": {"size": list(SIZE), "counts": "o"}}, "cut off"),
        ({"bbox": [1, 2, 3]}, "bad shape"),
        ({"bbox": "box"}, "bad shape"),
    ],
)
def test_bad_shapes_are_one_line(sheet, form, line):
    path = write(sheet, coco(FILES, [(1, "dent", form)]))
    with pytest.raises(InputError, match=line) as caught:
        load_mask(read(sheet)[1])
    assert str(caught.value).startswith(f"{path}: b.png: ") and "\n" not in str(caught.value)


def test_another_size(sheet):
    content = coco(FILES, [(1, "dent", BOX)])
    content["images"][1] |= {"height": 9, "width": 9}
    write(sheet, content)
    with pytest.raises(InputError, match=r"b\.png has 9x9 pixels, the image is 32x24"):
        load_mask(read(sheet)[1])


def test_a_size_that_is_no_int(sheet):
    for sides, expected in ({"height": 24.0, "width": None}, None), ({"height": "24"}, "'24'"):
        content = coco(FILES, [(1, "dent", BOX)])
        content["images"][1] |= sides
        write(sheet, content)
        if expected is None:
            assert load_mask(read(sheet)[1]).sum() == 24
        else:
            with pytest.raises(InputError, match=f"'b.png': height is {expected}, expected a whol"):
                read(sheet)


def test_masks_beside_a_coco_file_are_left_over(sheet):
    write(sheet, coco(FILES, []))
    write_mask(sheet / "sheet/ground_truth/dent/a_mask.png")
    with pytest.raises(InputError, match="mask is left over"):
        read(sheet)


def test_a_changed_file_is_read_again(sheet):
    write(sheet, coco(FILES, [(1, "dent", BOX)]))
    assert [s.label for s in read(sheet)] == ["good", "dent", "good"]
    write(sheet, coco(FILES, [(0, "scratch", BOX), (0, "scratch", POLYGON)]))
    assert [s.label for s in read(sheet)] == ["scratch", "good", "good"]
