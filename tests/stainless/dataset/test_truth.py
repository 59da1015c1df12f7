"""Classes and instances: from annotation images, from masks, from LabelMe."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.datasets import CLASS_MAP, SIZE, pasted, shape, write_image, write_labelme

from stainless.dataset import (
    class_map,
    load_annotation,
    load_ignore,
    load_mask,
    mask_annotation,
    read_category,
)
from stainless.dataset.labelme import rasterise
from stainless.dataset.shapes import polygon_mask
from stainless.errors import InputError


def test_annotation_images(annotated):
    dent, other = read_category(annotated, "plate", "test")[:2]
    classes, instances, names = load_annotation(dent)
    assert classes.dtype == np.uint8 and instances.dtype == np.uint16
    assert {i: known.name for i, known in names.items()} == {1: "dent", 2: "water_stain", 3: "edge"}
    assert [names[i].kind for i in (1, 2, 3)] == ["defect", "impurity", "ignore"]
    assert (classes == 2).sum() == 48 and set(instances[classes == 2]) == {300}
    assert load_ignore(dent).sum() == 2 * SIZE[0]
    assert load_ignore(other) is None
    assert (load_annotation(other).classes > 0).sum() == 35


def test_without_annotation_instances_are_8_connected():
    mask = np.zeros((6, 8), bool)
    mask[0, 0] = mask[1, 1] = mask[5, 5:7] = True
    classes, instances, names = mask_annotation(mask, "dent")
    assert (classes > 0).tolist() == mask.tolist() and names[1].name == "dent"
    assert instances[0, 0] == instances[1, 1] != instances[5, 5] == instances[5, 6]
    assert mask_annotation(np.zeros((3, 3), bool), "good").names == {}


def test_loco_instances_are_files(loco):
    sample = read_category(loco, "connector", "test")[1]
    classes, instances, _ = load_annotation(sample)
    assert set(np.unique(instances)) == {0, 1, 2}
    assert ((classes > 0) == load_mask(sample)).all()


def test_bad_annotations_are_one_line(annotated):
    sample = read_category(annotated, "plate", "test")[0]
    listed = annotated / "annotations" / "classes.json"
    entries = json.loads(listed.read_text())["classes"]

    def fails(line):
        with pytest.raises(InputError, match=line) as caught:
            load_annotation(sample)
        assert str(annotated) in str(caught.value) and "\n" not in str(caught.value)

    listed.write_text(json.dumps({"classes": entries[:2]}))
    fails("has class 3, which classes.json does not name")
    listed.write_text(json.dumps({"classes": [{**entries[0], "kind": "flaw"}]}))
    fails("class 'dent' is 'flaw', expected defect, impurity, ignore")
    listed.write_text(json.dumps({"classes": [entries[0], entries[0]]}))
    fails("given twice")
    listed.write_text(json.dumps({"classes": [{**entries[0], "index": 256}]}))
    fails("has index 256, expected 1 to 255")
    listed.write_text(json.dumps({"classes": [{"name": "dent"}]}))
    fails('needs "index", "name" and "kind"')
    listed.write_text("[")
    fails("is not JSON")
    listed.write_text("{}")
    fails('has no list "classes"')
    listed.unlink()
    fails("classes.json: no such file")
    listed.write_text(json.dumps({"classes": entries}))
    instance = sample.annotation.with_name("000_instance.png")
    write_image(instance, np.zeros((3, 3), np.uint16))
    fails("annotation is 3x3 pixels, its image 32x24 pixels")
    instance.unlink()
    fails("000_instance.png: no such file")
    write_image(sample.annotation, np.full(SIZE, 300, np.uint16))
    fails("expected one channel of uint8 indices")


def test_labelme_layout(labelme):
    train = read_category(labelme, "sheet", "train", CLASS_MAP)
    assert [(s.name, s.label) for s in train] == [("train/000", "good"), ("train/001", "good")]
    assert not load_mask(train[1]).any() and (load_annotation(train[1]).classes > 0).any()
    nothing, single, several = read_category(labelme, "sheet", "test", CLASS_MAP)
    assert (nothing.label, single.label, several.label) == ("good", "scratch", "combined")
    assert load_ignore(nothing) is None
    square = np.zeros(SIZE, bool)
    square[3:7, 2:8] = True
    assert (load_mask(single) == square).all()

    classes, instances, names = load_annotation(several)
    by_name = {known.name: classes == index for index, known in names.items()}
    assert (by_name["scratch"] == square).all()  # the stain over it leaves the defect
    assert by_name["dent"][10:16, 20:26].all() and by_name["dent"].sum() == 36
    assert by_name["stain"].sum() == 12 * 32 - square.sum() - (by_name["dent"][:12].sum())
    assert (load_ignore(several) == by_name["blur"]).all() and by_name["blur"].sum() == 4 * 32
    assert len(np.unique(instances)) == 5
    assert (load_mask(several) == (by_name["dent"] | by_name["scratch"])).all()


def test_a_flat_labelme_folder_serves_for_testing(labelme):
    assert len(read_category(labelme / "sheet", "test", "test", CLASS_MAP)) == 3
    with pytest.raises(InputError, match=r"001\.json: marks a defect"):
        read_category(labelme / "sheet", "test", "train", CLASS_MAP)


def test_class_maps(tmp_path):
    path = tmp_path / "classes.yaml"
    path.write_text("stain: impurity\ndent: defect\n")
    assert class_map(path) == class_map({"dent": "defect", "stain": "impurity"})
    assert [known.index for known in class_map(path)] == [1, 2]
    for text, line in [
        ("- dent", "expected label"),
        ("dent: bad", "is 'bad'"),
        ("a: [", "neither"),
    ]:
        path.write_text(text)
        with pytest.raises(InputError, match=line):
            class_map(path)
    with pytest.raises(InputError, match="no such file"):
        class_map(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("{", "is not JSON; it is corrupt or truncated"),
        ("[]", 'has no list "shapes"'),
        ([shape("rust", [[0, 0], [9, 0], [9, 9]])], "label 'rust' is not in the class map: blur"),
        ([shape("dent", [[0, 0], [9, 0]])], "a polygon 'dent' has 2 points"),
        ([shape("dent", [])], "has no points"),
        ([shape("dent", [[0, float("nan")], [1, 1], [2, 2]])], "no number"),
        ([{"points": [[0, 0]]}], "lacks its label or its points"),
        ([shape("dent", [[0, 0], [9, 9]], "ellipse")], "shape type 'ellipse' is not known"),
        ([shape("dent", [[0, 0], [9, 9]], ["polygon"])], "shape type .'polygon'. is not known"),
        ([shape("dent", [[0, 0], [9, 9]], "mask")], "the mask of 'dent' cannot be read"),
    ],
)
def test_bad_labelme_files_are_one_line(labelme, content, line):
    path = labelme / "sheet/test/001.json"
    if isinstance(content, str):
        path.write_text(content)
    else:
        write_labelme(path.with_suffix(".png"), content)
    with pytest.raises(InputError, match=line) as caught:
        load_mask(read_category(labelme, "sheet", "test", CLASS_MAP)[1])
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_labelme_of_another_size(labelme):
    path = labelme / "sheet/test/001.json"
    write_labelme(path.with_suffix(".png"), [shape("dent", [[0, 0], [9, 0], [9, 9]])], (9, 9))
    with pytest.raises(InputError, match="is for an image of 9x9 pixels, the image is 32x24"):
        load_mask(read_category(labelme, "sheet", "test", CLASS_MAP)[1])


def drawn(tmp_path, *shapes):
    path = write_labelme(tmp_path / "000.png", list(shapes))
    return rasterise(path, SIZE, class_map(CLASS_MAP))


def test_shapes(tmp_path):
    circle, _ = drawn(tmp_path, shape("dent", [[10, 10], [15, 10]], "circle"))
    assert abs((circle > 0).sum() - np.pi * 25) < 4 and circle[9:11, 9:11].all()
    line, _ = drawn(tmp_path, shape("scratch", [[2.5, 3.5], [9.5, 3.5]], "line"))
    assert np.argwhere(line).tolist() == [[3, x] for x in range(2, 10)]
    point, _ = drawn(tmp_path, shape("dent", [[4.9, 7.1]], "point"))
    assert np.argwhere(point).tolist() == [[7, 4]]
    sliver, _ = drawn(tmp_path, shape("scratch", [[2.6, 3.6], [9.6, 3.6], [9.6, 3.7]]))
    assert np.argwhere(sliver).tolist() == [[3, x] for x in range(2, 10)]
    patch = np.array([[255, 0], [255, 255]], np.uint8)
    picture, _ = drawn(tmp_path, pasted("dent", 5, 6, patch))
    assert np.argwhere(picture).tolist() == [[6, 5], [7, 5], [7, 6]]


def test_shapes_of_one_group_are_one_instance(tmp_path):
    halves = [[[1, 1], [4, 1], [4, 4]], [[10, 10], [14, 10], [14, 14]]]
    _, instances = drawn(tmp_path, *(shape("dent", half, group_id=3) for half in halves))
    assert set(np.unique(instances)) == {0, 3}
    _, instances = drawn(tmp_path, *(shape("dent", half) for half in halves))
    assert set(np.unique(instances)) == {0, 1, 2}


def test_instances_keep_their_group_ids_where_these_tell_them_apart(tmp_path):
    boxes = [[[left, 1], [left + 3, 4]] for left in (1, 11, 21)]

    def numbers(*groups):
        labels = ("dent", "scratch", "dent")
        shapes = [
            shape(label, box, "rectangle", group_id=group)
            for label, box, group in zip(labels, boxes, groups, strict=True)
        ]
        _, instances = drawn(tmp_path, *shapes)
        return [int(instances[2, left + 1]) for left in (1, 11, 21)]

    assert numbers(7, 300, 2) == [7, 300, 2]
    assert numbers(7, 300, 7) == [7, 300, 7]
    assert numbers(7, 7, 2) == [1, 2, 3]
    assert numbers(7, 300, None) == [1, 2, 3]
    assert numbers(0, 300, 2) == [1, 2, 3]
    assert numbers(7, 65536, 2) == [1, 2, 3]


coordinates = st.floats(-5, 40, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=9))
def test_polygons_hold_the_pixels_whose_centre_is_inside(corners):
    points = np.array(corners)
    found = polygon_mask(points, SIZE)
    contour = points.astype(np.float32)[:, None, :]
    rng = np.random.default_rng(len(corners))
    for row, column in rng.integers(0, SIZE, (20, 2)).tolist():
        centre = (column + 0.5, row + 0.5)
        # A centre on the outline may fall to either side.
        if abs(cv2.pointPolygonTest(contour, centre, True)) < 1e-3:
            continue
        crossings = 0
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
            if (y0 <= centre[1]) != (y1 <= centre[1]):
                crossings += x0 + (centre[1] - y0) / (y1 - y0) * (x1 - x0) < centre[0]
        assert found[row, column] == bool(crossings % 2)
