"""A tiny real set and tiny synthetic sets, without any rendering: noise with streaks and blobs."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

SIZE = 96
EXPERIMENT = Path(__file__).parents[3] / "train/experiments/sim_to_real/sim_to_real.yaml"
CLASSES = [
    {"index": 1, "name": "water_stain", "kind": "impurity"},
    {"index": 101, "name": "scratch", "kind": "defect"},
]


def plate(seed: int, light: float = 1.0) -> np.ndarray:
    """Return (SIZE, SIZE) uint8 of brushed metal."""
    rng = np.random.default_rng(seed)
    streaks = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)), (31, 1), 9)
    return np.clip((120 + 60 * streaks) * light, 0, 255).astype(np.uint8)


def stain(picture: np.ndarray, seed: int) -> np.ndarray:
    """Darken a disc in place; return where."""
    x, y = np.random.default_rng(seed).integers(20, SIZE - 20, 2).tolist()
    disc = cv2.circle(np.zeros_like(picture), (x, y), 12, 1, -1) > 0
    picture[disc] //= 2
    return disc


def scratch(picture: np.ndarray, seed: int) -> np.ndarray:
    """Draw a bright line in place; return where."""
    x, y = np.random.default_rng(seed).integers(10, 50, 2).tolist()
    line = cv2.line(np.zeros_like(picture), (x, y), (x + 30, y + 34), 1, 3) > 0
    picture[line] = 250
    return line


def write(path: Path, pixels: np.ndarray) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def annotate(root: Path, name: str, classes: np.ndarray) -> None:
    """Write class and instance image of a picture; each class is one instance."""
    write(root / "annotations" / f"{name}_class.png", classes)
    write(root / "annotations" / f"{name}_instance.png", (classes > 0).astype(np.uint16))
    (root / "annotations/classes.json").write_text(json.dumps({"classes": CLASSES}))


def write_real(root: Path, defective: bool = True) -> Path:
    """Write category "cell": four nominal pictures, a validation tree and a test split."""
    for number in range(4):
        write(root / f"cell/train/good/{number:03}.png", plate(number))
    rows = ["image,part_group"]
    for tree, count in (("validation/cell", 2), ("cell", 6)):
        for number in range(count):
            picture = plate(100 + number + count)
            classes = np.zeros_like(picture)
            classes[stain(picture, number)] = 1
            kind = "defective" if number % 3 < 2 and defective else "good"
            if kind == "defective":
                mask = scratch(picture, number)
                classes[mask] = 101
                truth = root / tree / f"ground_truth/{kind}/{number:03}_mask.png"
                write(truth, mask.astype(np.uint8) * 255)
            write(root / tree / f"test/{kind}/{number:03}.png", picture)
            annotate(root, f"{tree}/test/{kind}/{number:03}", classes)
            place = Path("..", tree) if tree != "cell" else Path()
            rows.append(f"{(place / 'test' / kind).as_posix()}/{number:03}.png,part {number // 2}")
    rows += [f"train/good/{number:03}.png,part 9" for number in range(4)]
    (root / "cell/groups.csv").write_text("\n".join(rows) + "\n")
    return root


def write_synthetic(root: Path) -> Path:
    """Write clean and stained pictures in two lights."""
    for light, factor in (("", 1.0), ("_rot90", 0.9)):
        for number in range(3):
            picture = plate(200 + number, factor)
            write(root / f"clean{light}/train/good/{number:03}.png", picture)
            disc = stain(picture, 50 + number)
            write(root / f"stained{light}/train/good/{number:03}.png", picture)
            annotate(root, f"stained{light}/train/good/{number:03}", disc.astype(np.uint8))
    return root


def settings(folder: Path, **more: object) -> Path:
    """Write the YAML file of a small experiment on these sets."""
    tree = {
        "extends": str(EXPERIMENT),
        "out": str(folder / "report"),
        "real": {"data": str(folder / "real"), "category": "cell", "scene": None},
        "synthetic": {"data": str(folder / "synthetic"), "scene": None, "lights": ["rot90"]},
        "detector": {"size": 64, "epochs": 2},
        "bootstrap_rounds": 20,
        "pod": {"config": None},
        **more,
    }
    path = folder / "experiment.yaml"
    path.write_text(json.dumps(tree))
    return path
