"""Label files: each belongs to a picture or is named; none turns a defect into a good picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.datasets import CLASS_MAP, SIZE, pasted, shape, write_image, write_labelme, write_mask

from stainless.dataset import class_map, load_annotation, load_mask, read_category
from stainless.dataset.labelme import rasterise
from stainless.dataset.text import decoded
from stainless.errors import InputError

SQUARE = [[2, 3], [8, 3], [8, 7], [2, 7]]
YOLO = "0 0.5 0.5 0.25 0.25\n1 .1 .2 .3 .4\n"
VOC = "<annotation><object><name>dent</name></object></annotation>"
STUDIO = json.dumps([{"data": {"image": "0.png"}, "annotations": []}])
COCO = json.dumps({"images": [], "annotations": [], "categories": []})
VIA = json.dumps({"_via_img_metadata": {}})
SUPERVISELY = json.dumps({"objects": [], "size": {"height": 1, "width": 1}})


def refused(line, root, category, split, classes=None):
    with pytest.raises(InputError, match=line) as caught:
        read_category(root, category, split, classes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def labelme_at(path):
    image = write_image(path.with_suffix(".tmp.png"))
    made = write_labelme(image, [shape("scratch", SQUARE)])
    image.unlink()
    made.rename(path)
    return path


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    "place", ["{split}/000.jpg.json", "{split}/json/000.json", "labels/000.json", "009.json"]
)
def test_a_labelme_file_that_is_left_over_is_named(labelme, split, place):
    path = labelme / "sheet" / place.format(split=split)
    path.parent.mkdir(exist_ok=True)
    labelme_at(path)
    line = refused("LabelMe file without an image of its name", labelme, "sheet", split, CLASS_MAP)
    assert str(path) in line
    assert ("expected 000.json" in line) == (".jpg." in place)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_labelme_file_of_a_picture_that_is_not_read_is_named(labelme, split):
    picture = labelme / f"sheet/{split}/007.gif"
    picture.write_bytes(b"GIF89a")
    path = labelme_at(picture.with_suffix(".json"))
    assert str(path) in refused("without an image", labelme, "sheet", split, CLASS_MAP)


@pytest.mark.parametrize("split", ["train", "test"])
def test_masks_beside_a_class_map_are_left_over(mvtec, split):
    root = mvtec()
    line = refused("mask is left over, since a class map", root, "plate", split, CLASS_MAP)
    assert str(root / "plate/ground_truth/dent/000_mask.png") in line


def test_classes_without_any_labels_do_not_make_defects_good(mvtec):
    root = mvtec()
    for path in (root / "plate/ground_truth").rglob("*.png"):
        path.unlink()
    refused("no LabelMe or COCO file for --classes", root, "plate", "test", CLASS_MAP)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("000.json", json.dumps({"shapes": []}), "LabelMe"),
        ("all.json", COCO, "COCO"),
        ("000.xml", VOC, "Pascal VOC"),
        ("task.xml", "<annotations><version>1.1</version></annotations>", "CVAT"),
        ("000.txt", YOLO, "YOLO"),
        ("export.json", STUDIO, "Label Studio"),
        ("via.json", VIA, "VIA"),
        ("000.jpg.json", SUPERVISELY, "Supervisely"),
    ],
)
@pytest.mark.parametrize("place", ["{split}/good", "labels", "."])
def test_labels_that_nobody_reads_are_named(mvtec, split, name, text, kind, place):
    root = mvtec()
    path = root / "plate" / place.format(split=split) / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    line = refused(f"{kind} file", root, "plate", split)
    assert str(path) in line
    # Labels of another split are a matter of that split.
    if "{split}" in place:
        other = {"train": "test", "test": "train"}[split]
        assert read_category(root, "plate", other)


@pytest.mark.parametrize("place", ["{root}", "{root}/json", "{root}/annotations/all"])
@pytest.mark.parametrize("kind", ["LabelMe", "COCO", "Pascal VOC", "YOLO"])
def test_labels_beside_the_category_are_named(tmp_path, place, kind):
    root = tmp_path / "data"
    for folder in ("photos", "other"):
        write_image(root / folder / "000.jpg")
    listed = json.dumps(coco_of("photos/000.jpg"))
    name, text = {
        "LabelMe": ("000.json", json.dumps({"version": "5", "shapes": []})),
        "COCO": ("instances.json", listed),
        "Pascal VOC": ("000.xml", VOC),
        "YOLO": ("000.txt", YOLO),
    }[kind]
    path = Path(place.format(root=root)) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert str(path) in refused(f"{kind} file", root, "photos", "train")
    # What is about other pictures is no business of these.
    path.rename(path.with_stem("001"))
    if kind != "COCO":
        assert read_category(root, "photos", "train")
    else:
        path.with_stem("001").write_text(json.dumps(coco_of("photos/001.jpg")))
        assert read_category(root, "photos", "train")


def coco_of(name):
    return {"images": [{"id": 1, "file_name": name}], "annotations": [], "categories": []}


def test_coco_in_annotations_beside_images(tmp_path):
    write_image(tmp_path / "images/000.jpg")
    path = tmp_path / "annotations/instances_default.json"
    path.parent.mkdir()
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 3, 6, 4]}
    path.write_text(
        json.dumps(
            coco_of("000.jpg") | {"annotations": [box], "categories": [{"id": 1, "name": "dent"}]}
        )
    )
    assert read_category(tmp_path, "images", "test", {"dent": "defect"})[0].label == "dent"
    refused("a COCO file needs a class map", tmp_path, "images", "train")
    refused("marks a defect", tmp_path, "images", "train", {"dent": "defect"})


def test_a_class_map_that_is_not_there(labelme):
    refused(r"gone\.yaml: no such file", labelme, "sheet", "test", labelme / "gone.yaml")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("000.json", json.dumps({"exposure_ms": 3})),
        ("notes.json", "[1, 2]"),
        ("settings.json", "not JSON"),
        ("000.txt", "taken on a Monday"),
        ("readme.txt", YOLO),
        ("layout.xml", "<page/>"),
        ("class_map.json", json.dumps(CLASS_MAP)),
    ],
)
def test_other_files_are_no_labels(mvtec, name, text):
    root = mvtec()
    (root / "plate/test/good" / name).write_text(text)
    assert len(read_category(root, "plate", "test")) == 7


def test_labelme_and_coco_at_once(labelme):
    (labelme / "sheet/test/all.json").write_text(COCO)
    refused("LabelMe file beside a COCO file", labelme, "sheet", "test", CLASS_MAP)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("dent: defect\n划痕: defect\n", "gb18030"),
        ("dent: defect\nÖlfleck: impurity\n", "cp1252"),
        ("dent: defect\nÖlfleck: impurity\n", "utf-8-sig"),
        ("dent: defect\nÖlfleck: impurity\n", "utf-16"),
        ("NG: defect\nno: impurity\n01: ignore\nyes: defect\nnull: defect\n1e3: defect\n", "utf-8"),
        ('{"NG": "defect", "no": "impurity", "1": "defect"}', "utf-8"),
    ],
)
def test_labels_of_a_class_map_are_text(tmp_path, text, encoding):
    path = tmp_path / "classes.yaml"
    path.write_bytes(text.encode(encoding))
    expected = {line.split(":")[0].strip('{" ') for line in text.replace(",", "\n").splitlines()}
    assert {entry.name for entry in class_map(path)} == expected


@pytest.mark.parametrize(
    "text", ["dent:\n  kind: defect\n", "dent: [defect]\n", '{"dent": {"kind": "defect"}}']
)
def test_a_nested_class_map_is_one_line(tmp_path, text):
    path = tmp_path / "classes.yaml"
    path.write_text(text)
    with pytest.raises(
        InputError, match="label 'dent' is nested, expected label: defect"
    ) as caught:
        class_map(path)
    assert "\n" not in str(caught.value) and "Node" not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "encoding"),
    [
        *((word, "cp1252") for word in ("größe", "Größe", "Öl", "Maß", "défaut", "à été")),
        *((word, "cp1252") for word in ("Stoß, größer", "façade", "año", "Bläschen und Stöße")),
        *(
            (word, "gb18030")
            for word in ("划痕", "裂纹", "瑕疵", "脏污", "凹陷", "白点", "压伤", "崩边")
        ),
        *((word, "gb18030") for word in ("破损 scratch", "dent凹坑", "针孔", "气泡", "黑点,毛刺")),
    ],
)
def test_words_of_either_encoding(word, encoding):
    assert decoded(word.encode(encoding)) == word


def test_labelme_in_cp1252_with_letters_in_pairs(tmp_path):
    write_image(tmp_path / "sheet/test/0.png")
    content = {"shapes": [shape("größe", SQUARE)]}
    text = json.dumps(content, ensure_ascii=False)
    (tmp_path / "sheet/test/0.json").write_bytes(text.encode("cp1252"))
    assert read_category(tmp_path, "sheet", "test", {"größe": "defect"})[0].label == "größe"


def test_a_label_that_is_given_twice(tmp_path):
    path = tmp_path / "classes.yaml"
    path.write_text("no: defect\n'no': impurity\n")
    with pytest.raises(InputError, match=r"class 'no' .* is given twice"):
        class_map(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_labelme_files_in_other_encodings(tmp_path, encoding):
    write_image(tmp_path / "sheet/test/0.png")
    content = {"shapes": [shape("划痕", SQUARE)], "imageHeight": SIZE[0], "imageWidth": SIZE[1]}
    text = json.dumps(content, ensure_ascii=False)
    (tmp_path / "sheet/test/0.json").write_bytes(text.encode(encoding))
    sample = read_category(tmp_path, "sheet", "test", {"划痕": "defect"})[0]
    assert sample.label == "划痕" and load_mask(sample).sum() == 24


def drawn(tmp_path, *shapes, **changes):
    path = tmp_path / "0.json"
    content = {"shapes": list(shapes), "imageHeight": SIZE[0], "imageWidth": SIZE[1], **changes}
    path.write_text(json.dumps(content))
    return rasterise(path, SIZE, class_map(CLASS_MAP))[0] > 0


def test_shapes_of_other_versions_of_labelme(tmp_path):
    square = drawn(tmp_path, shape("dent", SQUARE))
    assert square.sum() == 24 and square[3:7, 2:8].all()
    same = [
        drawn(tmp_path, shape("dent", SQUARE), imageHeight=None, imageWidth=None),
        drawn(tmp_path, shape("dent", SQUARE), imageHeight=float(SIZE[0]), imageWidth=None),
        drawn(tmp_path, shape("dent", SQUARE), imageHeight=None),
        drawn(tmp_path, {"label": "dent", "points": SQUARE}),
        drawn(tmp_path, {**shape("dent", SQUARE), "shape_type": None}),
        drawn(tmp_path, shape("dent", SQUARE, "rotation", direction=0.0)),
        drawn(tmp_path, shape("dent", SQUARE, "quadrilateral")),
        drawn(tmp_path, shape("dent", SQUARE, "rectangle")),
        drawn(tmp_path, shape("dent", [SQUARE[0], SQUARE[2]], "rectangle")),
        drawn(tmp_path, shape("dent", [SQUARE[2], SQUARE[0]], "rectangle")),
    ]
    for mask in same:
        assert (mask == square).all()


@pytest.mark.parametrize(
    ("sides", "line"),
    [
        ((str(SIZE[0]), SIZE[1]), "imageHeight is '24', expected a whole number of pixels"),
        ((SIZE[0], True), "imageWidth is True, expected a whole number"),
        ((SIZE[0], 1e400), "imageWidth is inf, expected a whole number"),
        ((0.5, SIZE[1]), "imageHeight is 0.5, expected a whole number"),
        ((None, 99), r"is for an image of 99x\? pixels, the image is 32x24"),
        ((99, None), r"is for an image of \?x99 pixels, the image is 32x24"),
        (([24], None), r"imageHeight is \[24\], expected"),
    ],
)
def test_a_size_that_is_none_is_one_line(tmp_path, sides, line):
    with pytest.raises(InputError, match=line):
        drawn(tmp_path, shape("dent", SQUARE), imageHeight=sides[0], imageWidth=sides[1])


@pytest.mark.parametrize("left", [-2, 0, 28, 30, 31, 40])
@pytest.mark.parametrize("top", [-1, 5, 21, 30])
def test_a_mask_over_the_edge_is_cut_off(tmp_path, left, top):
    patch = np.ones((4, 5), np.uint8)
    whole = np.zeros((60, 60), bool)
    whole[10 + top : 14 + top, 10 + left : 15 + left] = True
    expected = whole[10 : 10 + SIZE[0], 10 : 10 + SIZE[1]]
    assert (drawn(tmp_path, pasted("dent", left, top, patch)) == expected).all()


def test_polygons_over_the_edge_are_cut_off(tmp_path):
    box = [[-9, -9], [40, -9], [40, 5], [-9, 5]]
    expected = np.zeros(SIZE, bool)
    expected[:5] = True
    assert (drawn(tmp_path, shape("dent", box)) == expected).all()


def test_a_label_is_a_word(tmp_path):
    for label in (None, ["dent"], {}):
        with pytest.raises(InputError, match="lacks its label"):
            drawn(tmp_path, {**shape("dent", SQUARE), "label": label})
    path = tmp_path / "1.json"
    path.write_text(json.dumps({"shapes": [shape(1, SQUARE)]}))
    assert rasterise(path, SIZE, class_map({"1": "defect"}))[0].any()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", ["/", "\\"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_groups_in_other_spellings(mvtec, encoding, separator, delimiter):
    root = mvtec()
    write_image(root / "plate/test/dent/größe.png")
    write_mask(root / "plate/ground_truth/dent/größe_mask.png")
    samples = read_category(root, "plate", "test")
    rows = [f"image{delimiter}Prüf_group"]
    for number, sample in enumerate(samples):
        path = sample.image.relative_to(root / "plate").as_posix().replace("/", separator)
        rows.append(f"{path}{delimiter}{number // 2}")
    (root / "plate/groups.csv").write_bytes("\r\n".join(rows).encode(encoding))
    grouped = read_category(root, "plate", "test")
    assert [s.group for s in grouped] == [str(number // 2) for number in range(len(samples))]


def test_groups_by_bare_names(mvtec):
    root = mvtec()
    rows = [f"{s.image.stem},{s.label}" for s in read_category(root, "plate", "train")]
    (root / "plate/groups.csv").write_text("image,group\n" + "\n".join(rows))
    assert {s.group for s in read_category(root, "plate", "train")} == {"good"}


def test_groups_without_groups_are_told(mvtec):
    root = mvtec()
    (root / "plate/groups.csv").write_text("image,position\na,1\n")
    with pytest.warns(UserWarning, match="every image is a group of its own"):
        samples = read_category(root, "plate", "test")
    assert all(s.group == s.name for s in samples)


def test_annotations_of_an_unlabelled_labelme_picture_are_empty(labelme):
    sample = read_category(labelme, "sheet", "test", CLASS_MAP)[0]
    assert sample.annotation is None and not load_annotation(sample).classes.any()
