"""A tiny dataset as the renderer lays it out: categories, annotations, manifest, validation."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

SIZE = (30, 40)

CLASSES = [
    {"index": 1, "name": "water_stain", "kind": "impurity"},
    {"index": 2, "name": "scratch", "kind": "defect"},
    {"index": 5, "name": "border", "kind": "ignore"},
]

LIGHTS = {"clean": "hexagon", "stained": "hexagon", "stained_x2": "hexagon_x2"}


def write(path: Path, pixels: np.ndarray) -> Path:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def annotate(root: Path, name: str, classes: np.ndarray, instances: np.ndarray) -> None:
    """Write the annotation of a picture named from annotations/, without ending."""
    write(root / f"annotations/{name}_class.png", classes)
    write(root / f"annotations/{name}_instance.png", instances)


def labels(seed: int, defect: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return class and instance indices with holes, parts apart, and the last pixel."""
    rng = np.random.default_rng(seed)
    classes, instances = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint16)
    for number in (4, 9, 700):
        inside = np.zeros(SIZE, bool)
        row, column = rng.integers(2, 20, 2)
        inside[row : row + 7, column : column + 9] = rng.random((7, 9)) < 0.7
        classes[inside], instances[inside] = 1, number
    if defect:
        classes[12, 3:30], instances[12, 3:30] = 2, 701
        classes[-1, -1], instances[-1, -1] = 2, 702
    classes[:, :2], instances[:, :2] = 5, 0
    return classes, instances


def make(root: Path) -> Path:
    """Write the dataset: two lights, nominal and defective pictures; returns its root."""
    entries = []
    for sample, (split, kind) in enumerate([("train", "good"), ("test", "good"), ("test", "bad")]):
        files = []
        for category in ("stained", "stained_x2"):
            rng = np.random.default_rng(sample)
            name = f"{category}/{split}/{kind}/{sample:03d}"
            write(root / f"{name}.png", rng.integers(90, 130, SIZE, np.uint8))
            classes, instances = labels(sample, kind == "bad")
            annotate(root, name, classes, instances)
            if kind == "bad":
                mask = np.where(classes == 2, np.uint8(255), np.uint8(0))
                write(root / f"{category}/ground_truth/bad/{sample:03d}_mask.png", mask)
            files.append(f"{name}.png")
        name = f"clean/{split}/good/{sample:03d}"
        write(root / f"{name}.png", np.full(SIZE, 110, np.uint8))
        annotate(root, name, np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint16))
        files.append(f"{name}.png")
        entries.append(
            {
                "sample": sample,
                "seed": 7,
                "note": "not real",
                "files": dict.fromkeys(files, "0"),
                "parameters": {
                    "index": sample,
                    "split": split,
                    "metal": {"reflectance": 0.5 + sample / 10, "roughness": 0.3},
                    "impurities": {"water_stain": [{}, {}, {}]},
                    "light": {"radiance": [1.0, 3.0], "height_mm": 150.0},
                    "sensor": {"exposure": 9.5},
                },
            }
        )
    validation = root / "validation/stained"
    write(validation / "test/bad/010.png", np.full(SIZE, 100, np.uint8))
    classes, instances = labels(10, True)
    annotate(root, "validation/stained/test/bad/010", classes, instances)
    mask = np.where(classes == 2, np.uint8(255), np.uint8(0))
    write(validation / "ground_truth/bad/010_mask.png", mask)
    (root / "annotations/classes.json").write_text(json.dumps({"classes": CLASSES}))
    (root / "annotations/lights.json").write_text(json.dumps({"lights": LIGHTS}))
    lines = [json.dumps(entry) for entry in entries]
    # A kill may have cut the last line.
    (root / "manifest.jsonl").write_text("\n".join([*lines, '{"sample": 3, "fi']))
    return root
