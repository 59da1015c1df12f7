"""Tiny datasets in every layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from support.datasets import SIZE, shape, write_image, write_labelme, write_mask

#: Real images beside the repository; tests that want them are skipped without.
SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def mvtec(tmp_path: Path) -> Callable[..., Path]:
    """Make a dataset with the category "plate" in MVTec AD layout; returns its root."""

    def make(ending: str = ".png", mask_name: str = "{}_mask.png") -> Path:
        folder = tmp_path / "data" / "plate"
        for number in range(3):
            write_image(folder / f"train/good/{number:03}{ending}")
            write_image(folder / f"test/good/{number:03}{ending}")
        for label in ("dent", "scratch"):
            for number in range(2):
                write_image(folder / f"test/{label}/{number:03}{ending}")
                name = mask_name.format(f"{number:03}")
                write_mask(folder / f"ground_truth/{label}/{name}", top=4 + 6 * number)
        return folder.parent

    return make


@pytest.fixture
def validation_tree(mvtec: Callable[..., Path]) -> Path:
    """A dataset whose validation split is a tree of its own; returns its root."""
    root = mvtec()
    tree = root / "validation" / "plate"
    write_image(tree / "test/good/100.png")
    write_image(tree / "test/dent/101.png")
    write_mask(tree / "ground_truth/dent/101_mask.png")
    return root


@pytest.fixture
def loco(tmp_path: Path) -> Path:
    """A dataset with the category "connector" in MVTec LOCO layout; returns its root."""
    folder = tmp_path / "loco" / "connector"
    for split in ("train", "validation", "test"):
        write_image(folder / split / "good/000.png")
    write_image(folder / "test/logical_anomalies/000.png")
    truth = folder / "ground_truth/logical_anomalies/000"
    write_mask(truth / "000.png", value=255)
    write_mask(truth / "001.png", top=8, value=254)
    return folder.parent


@pytest.fixture
def annotated(mvtec: Callable[..., Path]) -> Path:
    """A dataset with annotations of a defect, an impurity and an ignored area; returns its root."""
    root = mvtec()
    folder = root / "annotations" / "plate" / "test" / "dent"
    classes, instances = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint16)
    classes[4:9, 6:13], instances[4:9, 6:13] = 1, 1
    classes[14:20, 2:10], instances[14:20, 2:10] = 2, 300
    classes[:, 30:], instances[:, 30:] = 3, 301
    write_image(folder / "000_class.png", classes)
    write_image(folder / "000_instance.png", instances)
    named = [("dent", "defect"), ("water_stain", "impurity"), ("edge", "ignore")]
    entries = [{"index": i, "name": name, "kind": kind} for i, (name, kind) in enumerate(named, 1)]
    (root / "annotations" / "classes.json").write_text(json.dumps({"classes": entries}))
    return root


@pytest.fixture
def labelme(tmp_path: Path) -> Path:
    """A dataset with the category "sheet" in LabelMe files; returns its root."""
    folder = tmp_path / "labelled" / "sheet"
    write_image(folder / "train/000.png")
    write_labelme(write_image(folder / "train/001.png"), [shape("stain", [[1, 1], [5, 1], [5, 5]])])
    write_image(folder / "test/000.png")
    square = [[2, 3], [8, 3], [8, 7], [2, 7]]
    write_labelme(write_image(folder / "test/001.png"), [shape("scratch", square)])
    write_labelme(
        write_image(folder / "test/002.png"),
        [
            shape("dent", [[20, 10], [26, 16]], "rectangle"),
            shape("scratch", square),
            shape("stain", [[0, 0], [32, 0], [32, 12], [0, 12]]),
            shape("blur", [[0, 20], [32, 20], [32, 24], [0, 24]]),
        ],
    )
    return folder.parent


@pytest.fixture
def magnetic_tile() -> Path:
    """The root of the real images; skips the test where they are missing."""
    if not (SHARED_DATA / "magnetic_tile").is_dir():
        pytest.skip("needs the real images in shared/data beside the repository")
    return SHARED_DATA
