"""MVTec LOCO: a mask a region, its value the defect, its saturation what sPRO counts up to."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.datasets import SIZE, write_image, write_mask

from stainless.dataset import (
    DefectClass,
    load_annotation,
    load_mask,
    load_regions,
    read_category,
    read_defects,
)
from stainless.errors import InputError

DEFECTS = [
    {
        "defect_name": "missing_pin",
        "pixel_value": 255,
        "saturation_threshold": 20,
        "relative_saturation": False,
    },
    {
        "defect_name": "scratch",
        "pixel_value": 254,
        "saturation_threshold": 0.5,
        "relative_saturation": True,
    },
    {
        "defect_name": "surplus",
        "pixel_value": 3,
        "saturation_threshold": 1000,
        "relative_saturation": False,
    },
]


def sample_of(loco, split="test"):
    return next(s for s in read_category(loco, "connector", split) if not s.is_good)


@pytest.fixture
def listed(loco):
    (loco / "connector/defects_config.json").write_text(json.dumps(DEFECTS))
    truth = loco / "connector/ground_truth/logical_anomalies/000"
    write_mask(truth / "002.png", top=16, value=3)
    return loco


def test_regions_and_their_saturation(listed):
    regions = load_regions(sample_of(listed))
    assert [(r.name, int(r.mask.sum()), r.saturation) for r in regions] == [
        ("missing_pin", 35, 20.0),
        ("scratch", 35, 17.5),
        ("surplus", 35, 35.0),
    ]
    union = np.logical_or.reduce([r.mask for r in regions])
    assert (union == load_mask(sample_of(listed))).all() and union.shape == SIZE


def test_annotations_have_the_classes_of_the_file(listed):
    classes, instances, names = load_annotation(sample_of(listed))
    regions = load_regions(sample_of(listed))
    assert {entry.name for entry in names.values()} == {"missing_pin", "scratch", "surplus"}
    for number, region in enumerate(regions, 1):
        own = instances == number
        assert own.any() and (own <= region.mask).all()
        assert {names[index].name for index in np.unique(classes[own])} == {region.name}


def test_a_validation_tree_uses_the_list_of_its_category(listed):
    tree = listed / "validation/connector"
    write_image(tree / "test/logical_anomalies/5.png")
    write_mask(tree / "ground_truth/logical_anomalies/5/0.png", value=254)
    assert [r.name for r in load_regions(sample_of(listed, "validation"))] == ["scratch"]
    (tree / "defects_config.json").write_text(json.dumps([{**DEFECTS[1], "defect_name": "own"}]))
    assert [r.name for r in load_regions(sample_of(listed, "validation"))] == ["own"]


def test_without_a_list_a_region_is_saturated_by_its_area(loco, mvtec):
    regions = load_regions(sample_of(loco))
    assert [(r.name, r.saturation) for r in regions] == [("logical_anomalies", 35.0)] * 2
    root = mvtec()
    mask = np.zeros(SIZE, np.uint8)
    mask[0, :3] = mask[9:12, 9:12] = 255
    dent = next(s for s in read_category(root, "plate", "test") if s.name == "test/dent/000")
    write_image(dent.mask, mask)
    assert [(r.name, r.saturation) for r in load_regions(dent)] == [("dent", 3.0), ("dent", 9.0)]
    assert load_regions(next(s for s in read_category(root, "plate", "test") if s.is_good)) == []


def test_a_value_that_is_not_listed(listed):
    sample = sample_of(listed)
    path = write_mask(sample.mask / "003.png", value=77)
    with pytest.raises(
        InputError, match=r"has value 77, expected one of .*: 255, 254, 3"
    ) as caught:
        load_regions(sample)
    assert str(path) in str(caught.value)
    write_mask(path, value=0)
    with pytest.raises(InputError, match="marks no pixel"):
        load_regions(sample)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"pixel_value": 0}, "pixel_value 0, expected its own from 1 to 255"),
        ({"pixel_value": True}, "pixel_value True"),
        ({"pixel_value": 254}, "pixel_value 254, expected its own"),
        ({"relative_saturation": 1}, "relative_saturation 1, expected true or false"),
        ({"saturation_threshold": 0}, "saturation_threshold 0, expected above 0"),
        ({"saturation_threshold": 2, "relative_saturation": True}, "expected above 0 to 1"),
        ({"saturation_threshold": "all"}, "saturation_threshold 'all'"),
    ],
)
def test_bad_lists_of_defects(tmp_path, change, line):
    path = tmp_path / "defects_config.json"
    path.write_text(json.dumps([DEFECTS[1], {**DEFECTS[0], **change}]))
    with pytest.raises(InputError, match=line) as caught:
        read_defects(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "is not JSON"),
        ("{}", "expected a list"),
        ("[3]", "expected a list"),
        ("[{}]", "lacks"),
    ],
)
def test_files_that_are_no_list_of_defects(tmp_path, text, line):
    path = tmp_path / "defects_config.json"
    path.write_text(text)
    with pytest.raises(InputError, match=line):
        read_defects(path)


def test_saturation():
    assert DefectClass("a", 1, 10, False).saturation(4) == 4
    assert DefectClass("a", 1, 10, False).saturation(40) == 10
    assert DefectClass("a", 1, 0.25, True).saturation(40) == 10
