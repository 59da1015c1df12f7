"""Files as they should be, for mutations to begin with."""

from __future__ import annotations

import base64
import json

import cv2
import numpy as np

#: Size of the picture that shapes and masks belong to.
HEIGHT, WIDTH = 12, 16


def png(pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


def images() -> tuple[bytes, ...]:
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    colour = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    deep = rng.integers(0, 65536, (HEIGHT, WIDTH), np.uint16)
    encoded = [
        cv2.imencode(ending, pixels)[1].tobytes()
        for ending in (".png", ".jpg", ".bmp", ".tif", ".webp")
        for pixels in (grey, colour)
    ]
    return (*encoded, png(deep), bytes(cv2.imencode(".tif", deep)[1]))


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


MASK = base64.b64encode(png(np.eye(4, dtype=np.uint8) * 255)).decode()
POINTS = [[1.0, 1.0], [9.0, 2.0], [5.0, 8.0]]
LABELME = {
    "imageHeight": HEIGHT,
    "imageWidth": WIDTH,
    "shapes": [
        {"label": "dent", "points": POINTS, "shape_type": "polygon", "group_id": None},
        {"label": "stain", "points": POINTS[:2], "shape_type": "circle", "group_id": 3},
        {"label": "frame", "points": POINTS[:2], "shape_type": "rectangle"},
        {"label": "dent", "points": POINTS[:2], "shape_type": "mask", "mask": MASK},
    ],
}
COCO = {
    "images": [{"id": 1, "file_name": "good/000.png", "width": WIDTH, "height": HEIGHT}],
    "categories": [{"id": 1, "name": "dent"}, {"id": 2, "name": "stain"}],
    "annotations": [
        {
            "image_id": 1,
            "category_id": 1,
            "segmentation": [[1, 1, 9, 2, 5, 8]],
            "bbox": [1, 1, 8, 7],
        },
        {
            "image_id": 1,
            "category_id": 2,
            "segmentation": {"size": [12, 16], "counts": [9, 3, 180]},
        },
        {"image_id": 1, "category_id": 2, "segmentation": {"size": [12, 16], "counts": "93d5"}},
        {"image_id": 1, "category_id": 2, "bbox": [2, 3, 4, 5], "iscrowd": 1, "instance": 4},
    ],
}
DEFECTS = [
    {
        "defect_name": "hole",
        "pixel_value": 255,
        "saturation_threshold": 20,
        "relative_saturation": False,
    },
    {
        "defect_name": "dent",
        "pixel_value": 1,
        "saturation_threshold": 0.5,
        "relative_saturation": True,
    },
]
ENTRY = {
    "sample": 0,
    "seed": 1,
    "renderer": {"blender": "4.5.15"},
    "note": "",
    "files": {"plate/train/good/000.png": "c1a7"},
    "parameters": {"index": 0, "side": {"part": 1}, "light": {"height_mm": 150.0, "power": [1, 2]}},
}
