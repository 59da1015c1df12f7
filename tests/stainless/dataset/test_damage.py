"""Whatever is in a file: it is read, or refused in one line; nothing else is raised."""

from __future__ import annotations

import copy
import json
import warnings

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.datasets import CLASS_MAP, SIZE, pasted, shape, write_image

from stainless.dataset import (
    Sample,
    class_map,
    frame_of,
    load_annotation,
    load_areas,
    load_ignore,
    load_image,
    read_category,
    read_defects,
)
from stainless.dataset.groups import read_groups
from stainless.dataset.labelme import rasterise
from stainless.dataset.masks import load_binary
from stainless.errors import DataWarning, InputError


def attempt(action, *arguments):
    """Run what may fail in one line only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            action(*arguments)
        except InputError as error:
            assert "\n" not in str(error)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A small file of every format, with all that headers may say."""
    folder = tmp_path_factory.mktemp("files")
    exif = Image.Exif()
    exif[0x112] = 6
    grey = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8) * 5)
    for name in ("a.jpg", "a.png", "a.tif", "a.webp", "a.bmp"):
        options = {} if name == "a.bmp" else {"exif": exif}
        grey.save(folder / name, **options)
    grey.convert("P").save(folder / "p.png", transparency=3)
    grey.save(folder / "t.png", transparency=0)
    grey.convert("LA").save(folder / "la.png")
    cv2.imwrite(str(folder / "w.png"), np.arange(48, dtype=np.uint16).reshape(6, 8) * 99)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_pictures(files, tmp_path_factory, data):
    content = bytearray(data.draw(st.sampled_from(files)))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))]
    path = tmp_path_factory.getbasetemp() / "picture"
    path.write_bytes(bytes(content))
    for action in (load_image, frame_of, lambda path: load_binary(path, (6, 8))):
        attempt(action, path)


odd_numbers = st.sampled_from([128.0, 24.0, 32.0, 1e400, -1e400, 1e300, 2**31, 2**63, 10**30, 0.5])
odd_texts = st.sampled_from(["128", "\0", "\ud800", "a" * 300, "0.png", "é"])
json_values = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(-9, 99), st.floats(), odd_numbers),
        *(st.text(max_size=3), odd_texts),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def spoiled(content, data):
    """Return JSON with one value, wherever it is, replaced or taken out."""
    content = copy.deepcopy(content)
    place = content
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return content
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans()):
            if data.draw(st.booleans()):
                place[key] = data.draw(json_values)
            else:
                del place[key]
            return content
        place = inner


LABELME = {
    "shapes": [
        shape("dent", [[1, 2], [9, 2], [9, 8]]),
        shape("stain", [[1, 2], [9, 8]], "rectangle", group_id=3),
        shape("dent", [[5, 5], [8, 8]], "circle"),
        pasted("blur", 3, 4, np.eye(4, dtype=np.uint8)),
    ],
    "imageHeight": SIZE[0],
    "imageWidth": SIZE[1],
}
COCO = {
    "images": [{"id": 1, "file_name": "0.png", "height": SIZE[0], "width": SIZE[1]}],
    "categories": [{"id": 1, "name": "dent", "supercategory": "defect"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 2, 9, 2, 9, 8]]},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 1},
        {
            "id": 3,
            "image_id": 1,
            "category_id": 1,
            "segmentation": {"size": list(SIZE), "counts": [5, SIZE[0] * SIZE[1] - 5]},
            "instance": 9,
        },
    ],
}
AREAS = {"areas": [{"index": 1, "name": "cap"}, {"index": 2, "name": "neck"}]}
CLASS_LIST = {"classes": [{"index": 1, "name": "dent", "kind": "defect"}]}
DEFECTS = [
    {
        "defect_name": "a",
        "pixel_value": 3,
        "saturation_threshold": 5,
        "relative_saturation": False,
    }
]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_labelme_files(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "labelme.json"
    path.write_text(json.dumps(spoiled(LABELME, data)))
    attempt(rasterise, path, SIZE, class_map(CLASS_MAP))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_coco_files(tmp_path_factory, data):
    root = tmp_path_factory.getbasetemp() / "coco_files"
    path = root / "sheet/test/coco.json"
    if not path.parent.is_dir():
        write_image(root / "sheet/test/0.png")
    path.write_text(json.dumps(spoiled(COCO, data)))

    def read(classes):
        for sample in read_category(root, "sheet", "test", classes):
            load_annotation(sample)

    for classes in (CLASS_MAP, path, None):
        attempt(read, classes)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_lists_of_names(tmp_path_factory, data):
    root = tmp_path_factory.getbasetemp() / "named"
    picture = root / "sheet/test/good/0.png"
    annotation = root / "annotations/sheet/test/good/0_class.png"
    if not picture.is_file():
        write_image(picture)
        for what in ("class", "instance", "area"):
            write_image(annotation.with_name(f"0_{what}.png"), np.ones(SIZE, np.uint8))
    spoil_areas = data.draw(st.booleans())
    for path, content, chosen in (
        (root / "annotations/areas.json", AREAS, spoil_areas),
        (root / "annotations/classes.json", CLASS_LIST, not spoil_areas),
    ):
        path.write_text(json.dumps(spoiled(content, data) if chosen else content))
    sample = Sample(picture, "good", None, "0", "0", annotation=annotation)
    for action in (load_areas, load_annotation, load_ignore):
        attempt(action, sample)


def test_a_number_of_thousands_of_digits(tmp_path):
    path = tmp_path / "0.json"
    path.write_text('{"shapes": [], "imageHeight": ' + "9" * 5000 + "}")
    with pytest.raises(InputError, match="is not JSON"):
        rasterise(path, SIZE, class_map(CLASS_MAP))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_lists_of_defects(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "defects_config.json"
    path.write_text(json.dumps(spoiled(DEFECTS, data)))
    attempt(read_defects, path)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=30).map(str.encode))
def test_texts(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "texts"
    folder.mkdir(exist_ok=True)
    (folder / "groups.csv").write_bytes(b"image,group\n" + content)
    attempt(read_groups, folder)
    (folder / "classes.yaml").write_bytes(content)
    attempt(class_map, folder / "classes.yaml")
