"""Whatever names a picture labels it, in whatever format; other texts are left alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.datasets import CLASS_MAP, write_image

from stainless.dataset import read_category
from stainless.dataset.mentions import Pictures, mentions
from stainless.errors import InputError

BOX = {"x": 3, "y": 4, "width": 5, "height": 6}
LABELS = {
    "createml.json": json.dumps(
        [{"image": "lot 1.png", "annotations": [{"label": "dent", "coordinates": BOX}]}]
    ),
    "studio_min.json": json.dumps([{"image": "/data/upload/1/0a1b2c3d-lot 1.png", "label": [BOX]}]),
    "via_regions.json": json.dumps(
        {"lot 1.png123": {"filename": "lot 1.png", "size": 123, "regions": []}}
    ),
    "results.json": json.dumps([{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4]}]),
    "no_annotations.json": json.dumps({"images": [{"id": 1, "file_name": "test/lot 1.png"}]}),
    "null.json": json.dumps({"shapes": None, "imagePath": "lot 1.png"}),
    "by_name.json": json.dumps({"lot 1": "bad"}),
    "windows.json": json.dumps({"p": "C:\\\\photos\\\\lot 1.png"}),
    "boxes.csv": "filename,width,height,class,xmin\nlot 1.png,32,24,dent,3\n",
    "boxes.tsv": "lot 1.png\t32\n",
    "kaggle.csv": "image_id,label\nlot 1,1\nlot 2,0\n",
    "via.csv": '#filename,file_size,region_attributes\nlot 1.png,1,"{""type"":""dent""}"\n',
    "metadata.jsonl": json.dumps({"file_name": "good/lot 1.png", "label": 1}) + "\n",
    "yolo/lot 1.txt": "0.0 0.5 0.5 0.25 0.25\n",
    "dota/lot 1.txt": "imagesource:x\ngsd:1\n1.0 2 3 4 5 6 7 8 dent 0\n",
    "own.xml": "<labels><file>lot 1.png</file></labels>",
}
OTHERS = {
    "groups.csv": "image,group\ntrain/good/lot 1.png,1\n",
    "verdicts.jsonl": json.dumps({"image": "lot 1.png"}),
    "camera.csv": "second,temperature\n1,20\n",
    "other.json": json.dumps({"file": "lot 9.png"}),
    "classes.json": json.dumps({"0": "dent", "1": "good"}),
    "list.txt": "a.png\nb.png\n",
    "readme.txt": "Of a line.\nIt was cold.\nThere is lot 1, too.\n",
    "lot 1.txt": "taken on a Monday",
    "broken.json": "\\ud800 {",
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("named")
    write_image(root / "plain/lot 1.png")
    for place in ("split/train/good/lot 1", "split/test/good/lot 1"):
        write_image(root / f"{place}.png")
    write_image(root / "plain/1.png")
    return root


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("category", ["plain", "split"])
@pytest.mark.parametrize("classes", [None, CLASS_MAP])
def test_labels_in_any_format_are_left_over(dataset, name, category, classes):
    path = dataset / category / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(LABELS[name])
    split = "test" if classes else "train"
    try:
        with pytest.raises(InputError) as caught:
            read_category(dataset, category, split, classes)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    finally:
        path.unlink()


@pytest.mark.parametrize("name", [name for name in LABELS if name not in ("results.json",)])
def test_labels_beside_a_category_are_left_over(dataset, name):
    path = dataset / ("labels" if "/" in name else ".") / name.rpartition("/")[2]
    if name == "null.json":
        path = path.with_stem("lot 1")
    path.parent.mkdir(exist_ok=True)
    path.write_text(LABELS[name])
    try:
        with pytest.raises(InputError) as caught:
            read_category(dataset, "plain", "train")
        assert str(path) in str(caught.value)
    finally:
        path.unlink()


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("category", ["plain", "split"])
def test_other_texts_are_left_alone(dataset, name, category):
    for path in (dataset / category / name, dataset / name):
        path.write_text(OTHERS[name])
        try:
            assert read_category(dataset, category, "train")
        finally:
            path.unlink()


@pytest.mark.parametrize(
    "place", ["labels/{}/train", "labels/{}", "json/{}/train/good", "gt/{}/a/b"]
)
@pytest.mark.parametrize("name", ["lot 1.txt", "lot 1.json"])
def test_folders_of_labels_deep_beside_the_category(tmp_path, place, name):
    write_image(tmp_path / "c/train/good/lot 1.png")
    write_image(tmp_path / "c/test/good/lot 2.png")
    path = tmp_path / place.format("c") / name
    path.parent.mkdir(parents=True)
    path.write_text("0 .5 .5 .1 .1" if name.endswith("txt") else '{"shapes": []}')
    with pytest.raises(InputError) as caught:
        read_category(tmp_path, "c", "train")
    assert str(path) in str(caught.value)
    assert read_category(tmp_path, "c", "test")


words = st.text(st.sampled_from("ab0ü .-_"), min_size=1, max_size=5).map(str.strip).filter(bool)


@settings(max_examples=60, deadline=None)
@given(
    st.sets(words, min_size=1, max_size=4),
    words,
    st.booleans(),
    st.sampled_from(["", "a/", "C:\\"]),
)
def test_a_name_is_found_exactly_where_it_is_one(
    tmp_path_factory, stems, named, ascii_only, folder
):
    place = tmp_path_factory.mktemp("words")
    for stem in stems:
        (place / f"{stem}.png").touch()
    path = place / "labels.json"
    path.write_text(
        json.dumps({"a": [{"b": f"{folder}{named}.png"}]}, ensure_ascii=ascii_only), "utf-8"
    )
    listed = {image.stem for image in place.glob("*.png") if not image.name.startswith(".")}
    assert mentions(path, Pictures(place)) == (named in listed)
