"""Writers of tiny datasets: images, masks, LabelMe files."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIZE = (24, 32)


def write_image(path: Path, pixels: np.ndarray | None = None) -> Path:
    """Write `pixels` (or grey noise that depends on the name alone) to `path`."""
    if pixels is None:
        rng = np.random.default_rng(list(path.stem.encode()))
        pixels = rng.integers(60, 200, SIZE, np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def write_mask(path: Path, top: int = 4, left: int = 6, value: int = 255) -> Path:
    """Write a mask with one 5x7 rectangle."""
    mask = np.zeros(SIZE, np.uint8)
    mask[top : top + 5, left : left + 7] = value
    return write_image(path, mask)


def shape(label: str, points: list[list[float]], kind: str = "polygon", **more: Any) -> dict:
    """Return a LabelMe shape."""
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, **more}


def pasted(label: str, left: int, top: int, patch: np.ndarray) -> dict:
    """Return a LabelMe shape that is a picture of a mask."""
    data = base64.b64encode(cv2.imencode(".png", patch)[1].tobytes()).decode()
    corner = [left + patch.shape[1] - 1, top + patch.shape[0] - 1]
    return shape(label, [[left, top], corner], "mask", mask=data)


def write_labelme(image: Path, shapes: list[dict], size: tuple[int, int] = SIZE) -> Path:
    """Write an image's LabelMe file next to it."""
    path = image.with_suffix(".json")
    content = {
        "version": "5.4.1",
        "shapes": shapes,
        "imagePath": image.name,
        "imageHeight": size[0],
        "imageWidth": size[1],
    }
    path.write_text(json.dumps(content))
    return path


#: A class map for the LabelMe datasets of these tests.
CLASS_MAP = {"scratch": "defect", "dent": "defect", "stain": "impurity", "blur": "ignore"}
