"""A dataset of connectors in the layout of MVTec LOCO AD, rendered small and read back."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_scenes import GENERATE, SCENES, files, manifest, run

from stainless.dataset import load_mask, load_regions, read_category

WORDS = (
    *("--scale", "0.05", "--samples", "7", "--camera.views", "[2,1]", "--connector.twins", "true"),
    *("--rendering.denoise", "false", "--rendering.samples_undenoised", "2"),
    *("--connector.flaws.edge_damage", "null", "--connector.flaws.deep_scratch", "null"),
    *("--connector.flaws.cut_corner", "null", "--series.groups"),
)
GROUPS = (
    "[{split: train}, {split: validation}, {split: test, views: 1}, "
    "{split: test, parts: 2, views: 1, defects: true}, "
    "{split: validation, parts: 2, views: 1, defects: true}]"
)


def command(output: Path) -> list[str]:
    import sys

    scene = str(SCENES / "connector.yaml")
    return [
        sys.executable,
        str(GENERATE),
        "--config",
        scene,
        "--output",
        str(output),
        *WORDS,
        GROUPS,
    ]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    output = tmp_path_factory.mktemp("connectors") / "data"
    done = run(command(output))
    assert done.returncode == 0, done.stderr
    # Two pictures of each of the first two parts and one of the others, and a twin of each.
    assert "7 samples, 18 pictures" in done.stdout
    return output


def test_the_layout_is_locos_with_a_labelled_tree_beside_it(dataset):
    names = {n for n in files(dataset) if n.startswith(("connector/", "validation/connector/"))}
    pictures = {n for n in names if "ground_truth" not in n and n.endswith(".png")}
    assert pictures == {
        *(f"connector/train/good/000_0{view}.png" for view in (0, 1)),
        *(f"connector/validation/good/001_0{view}.png" for view in (0, 1)),
        "connector/test/good/002_00.png",
        *(f"connector/test/logical_anomalies/00{sample}_00.png" for sample in (3, 4)),
        *(f"validation/connector/test/good/001_0{view}.png" for view in (0, 1)),
        *(f"validation/connector/test/logical_anomalies/00{sample}_00.png" for sample in (5, 6)),
    }
    truth = {n for n in names if "ground_truth" in n}
    assert truth == {
        *(f"connector/ground_truth/logical_anomalies/00{k}_00/000.png" for k in (3, 4)),
        *(f"validation/connector/ground_truth/logical_anomalies/00{k}_00/000.png" for k in (5, 6)),
    }
    for name in pictures:
        assert f"annotations/{name[:-4]}_class.png" in files(dataset)
    trees = (dataset / "connector", dataset / "validation/connector")
    one, other = ((tree / "defects_config.json").read_text() for tree in trees)
    assert one == other
    listed = {entry["defect_name"]: entry for entry in json.loads(one)}
    assert set(listed) == {"missing_hole", "additional_hole", "hole_size"}
    for entry in listed.values():
        assert (entry["saturation_threshold"], entry["relative_saturation"]) == (1.0, True)
    groups = (dataset / "connector/groups.csv").read_text()
    assert "validation/good/001_00.png,1\n" in groups
    assert "../validation/connector/test/logical_anomalies/005_00.png,5\n" in groups


def test_training_reads_both_validation_splits(dataset):
    tests = read_category(dataset, "connector", "test")
    validation = read_category(dataset, "connector", "validation")
    assert [sample.is_good for sample in validation].count(True) == 2
    assert len(validation) == 4
    for sample in (*tests, *validation):
        regions = load_regions(sample)
        assert bool(regions) == (not sample.is_good)
        for region in regions:
            # All of a region must be found.
            assert region.saturation == region.mask.sum() > 0
            np.testing.assert_array_equal(load_mask(sample), region.mask)
    names = [region.name for sample in tests for region in load_regions(sample)]
    assert set(names) <= {"missing_hole", "additional_hole", "hole_size"}
    assert len(set(names)) == 2


def test_a_masks_value_says_which_flaw(dataset):
    values = {
        e["defect_name"]: e["pixel_value"]
        for e in json.loads((dataset / "connector/defects_config.json").read_text())
    }
    entry = manifest(dataset)[3]
    (name,) = entry["parameters"]["connector"]["flaws"]
    path = dataset / "connector/ground_truth/logical_anomalies/003_00/000.png"
    assert set(np.unique(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))) == {0, values[name]}


def test_anomalib_opens_it_unchanged(dataset):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from anomalib.data import MVTecLOCO

        data = MVTecLOCO(dataset, "connector", num_workers=0)
        data.setup()
    assert (len(data.train_data), len(data.val_data), len(data.test_data)) == (2, 2, 3)
    kinds = sorted(Path(item.image_path).parent.name for item in data.test_data)
    assert kinds == ["good", "logical_anomalies", "logical_anomalies"]
    for item in data.test_data:
        assert bool(item.gt_label) == bool(item.gt_mask.any())
        assert item.image.shape == (3, 32, 64)


def test_the_twin_category_is_the_same_without_flaws(dataset):
    sound = read_category(dataset, "connector_sound", "test")
    assert all(sample.is_good for sample in sound)
    flawed = {s.name.split("/")[-1]: s for s in read_category(dataset, "connector", "test")}
    assert set(flawed) == {sample.name.split("/")[-1] for sample in sound}
    for sample in sound:
        twin = flawed[sample.name.split("/")[-1]]
        same = (sample.load() == twin.load()).all(axis=-1)
        assert same.all() == twin.is_good
        assert same.mean() > 0.8


def test_a_second_run_finds_all_done_and_pixels_are_those_of_another_folder(dataset, tmp_path):
    again = run(command(dataset))
    assert again.returncode == 0, again.stderr
    assert "render:" not in again.stderr
    words = command(tmp_path / "other")
    words[words.index("--samples") + 1] = "1"
    done = run(words)
    assert done.returncode == 0, done.stderr
    (one,) = manifest(tmp_path / "other")
    assert one["files"] == manifest(dataset)[0]["files"]
