"""The fixed pictures that the detector's part of the record is made of: numpy and OpenCV alone."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

SIZE = 128


def metal(seed: int) -> np.ndarray:
    """Return (SIZE, SIZE) uint8 of brushed metal."""
    rng = np.random.default_rng(seed)
    streaks = cv2.blur(rng.standard_normal((SIZE, SIZE)), (31, 1)) * 5
    grain = rng.standard_normal((SIZE, SIZE))
    return np.clip(120 + 40 * streaks + 4 * grain, 0, 255).astype(np.uint8)


def write(path: Path, pixels: np.ndarray) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), pixels):
        raise OSError(f"{path}: cannot be written")


def write_dataset(root: Path) -> None:
    """Write category `metal` (four nominal pictures, validation and test) and `other`."""
    for number in range(4):
        write(root / f"metal/train/good/{number:03}.png", metal(number))
        write(root / f"other/train/good/{number:03}.png", metal(50 + number) // 2)
    for tree, first in (("validation/metal", 100), ("metal", 200)):
        for number in range(6):
            picture = metal(first + number)
            kind = ("good", "scratch", "dent")[number % 3]
            mask = np.zeros_like(picture)
            if kind == "scratch":
                start = (20 + 5 * number, 30)
                cv2.line(mask, start, (start[0] + 40, 90), 255, 3)
                picture[mask > 0] = 250
            elif kind == "dent":
                cv2.circle(mask, (40 + 6 * number, 64), 9, 255, -1)
                picture[mask > 0] //= 3
            if kind != "good":
                write(root / tree / f"ground_truth/{kind}/{number:03}_mask.png", mask)
            write(root / tree / f"test/{kind}/{number:03}.png", picture)


def write_synthetic(root: Path) -> None:
    """Write clean and stained pictures in two lights, the stains annotated."""
    classes = [{"index": 1, "name": "water_stain", "kind": "impurity"}]
    for suffix, factor in (("", 1.0), ("_rot90", 0.9)):
        for number in range(3):
            picture = (metal(300 + number) * factor).astype(np.uint8)
            write(root / f"clean{suffix}/train/good/{number:03}.png", picture)
            disc = cv2.circle(np.zeros_like(picture), (40 + 9 * number, 70), 14, 1, -1)
            picture[disc > 0] = picture[disc > 0] * 3 // 4
            name = f"stained{suffix}/train/good/{number:03}"
            write(root / f"{name}.png", picture)
            write(root / f"annotations/{name}_class.png", disc)
            write(root / f"annotations/{name}_instance.png", disc.astype(np.uint16))
    (root / "annotations/classes.json").write_text(json.dumps({"classes": classes}))
