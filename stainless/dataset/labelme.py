"""LabelMe files: shapes drawn on an image, turned into class and instance indices.

The format is the one that LabelMe writes (`shapes` with `label`, `points`, `shape_type`,
`group_id`; `imageHeight`, `imageWidth`), and what X-AnyLabeling adds to it. LabelMe shows a picture
upright, so that is the frame of its points.
"""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stainless.dataset.images import decoded
from stainless.dataset.orientation import Frame, upright
from stainless.dataset.sample import GOOD, AnnotationClass, Sample
from stainless.dataset.shapes import Drawn, corners, filled, outline, painted, pasted, picture_label
from stainless.dataset.stated_size import drawn_size, stated_size
from stainless.dataset.text import read_json
from stainless.errors import InputError

#: Shapes that are closed lines through their points, by the name of their type.
_POLYGONS = ("polygon", "rectangle", "rotation", "quadrilateral", "oriented_rectangle")

#: Shapes that are open lines or points.
_LINES = ("line", "linestrip", "point", "points")

_LEAST_POINTS = dict.fromkeys(("rectangle", "circle", "mask", "line", "linestrip"), 2)


def labelme_sample(
    image: Path, path: Path | None, name: str, classes: tuple[AnnotationClass, ...]
) -> Sample:
    """Return the sample of an image and its LabelMe file; None where it has none.

    Its label is "good" without a defect, the class of its defects, or "combined".
    """
    if path is None:
        return Sample(image, GOOD, None, name, name, None, classes)
    shapes = _shapes(_read(path)["shapes"], classes, path)
    label = picture_label((label for label, *_ in shapes), classes)
    return Sample(image, label, None if label == GOOD else path, name, name, path, classes)


def rasterise(
    path: Path,
    frame: Frame | tuple[int, int],
    classes: tuple[AnnotationClass, ...],
    mask_frame: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return class indices (H, W) uint8 and instance indices (H, W) uint16 of a LabelMe file.

    A pixel belongs to a polygon, rectangle or circle that its centre lies in; a line or a point,
    or a shape too thin to hold a centre, marks the pixels that it passes. Overlaps and instances
    are as `shapes.painted` has them.

    Args:
        path: the file.
        frame: the picture it belongs to, or height and width in pixels.
        classes: what its labels stand for.
        mask_frame: "stored" for shapes drawn on a turned picture's stored pixels, against
            LabelMe's custom; where the file's own size tells, that counts.

    Raises:
        InputError: the file is corrupt, of another image size, or has an unknown label or shape.
    """
    if not isinstance(frame, Frame):
        frame = Frame(frame)
    content = _read(path)
    stated = stated_size(content, ("imageHeight", "imageWidth"), str(path))
    size, is_stored = drawn_size(stated, frame, mask_frame, f"{path}: is for an image of")
    shapes = [
        Drawn(label, group, partial(_shape_mask, shape, size, path))
        for label, group, shape in _shapes(content["shapes"], classes, path)
    ]
    class_index, instance_index = painted(shapes, size, classes)
    if is_stored:
        return upright(class_index, frame.orientation), upright(instance_index, frame.orientation)
    return class_index, instance_index


def _read(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise InputError(f'{path}: has no list "shapes", so LabelMe did not write it')
    return content


def _shapes(
    shapes: list[Any], classes: tuple[AnnotationClass, ...], path: Path
) -> list[tuple[str, Any, dict[str, Any]]]:
    """Return label, group and content of every shape, its label known and its points numbers."""
    known = {entry.name for entry in classes}
    found = []
    for shape in shapes:
        try:
            label = shape["label"]
            shape["points"] = np.array(shape["points"], float).reshape(-1, 2)
        except (TypeError, KeyError, ValueError, OverflowError):
            label = None
        if not isinstance(label, (str, int, float)):
            raise InputError(f"{path}: a shape lacks its label or its points")
        label = str(label)
        if label not in known:
            names = ", ".join(sorted(known))
            raise InputError(f"{path}: label {label!r} is not in the class map: {names}")
        if not len(shape["points"]) or not np.isfinite(shape["points"]).all():
            raise InputError(f"{path}: a shape {label!r} has no points or one that is no number")
        found.append((label, shape.get("group_id"), shape))
    return found


def _shape_mask(shape: dict[str, Any], size: tuple[int, int], path: Path) -> np.ndarray:
    points = shape["points"]
    # LabelMe's older files say null for a polygon.
    kind = shape.get("shape_type") or "polygon"
    if not isinstance(kind, str):
        raise InputError(f"{path}: shape type {kind!r} is not known")
    if len(points) < _LEAST_POINTS.get(kind, 3 if kind in _POLYGONS else 1):
        raise InputError(f"{path}: a {kind} {shape['label']!r} has {len(points)} points")
    if kind == "mask":
        return _mask(shape, size, path)
    if kind in _LINES:
        return outline(points, size, closed=False)
    if kind == "circle":
        rows, columns = np.indices(size) + 0.5
        radius = np.hypot(*(points[1] - points[0]))
        inside = np.hypot(columns - points[0, 0], rows - points[0, 1]) <= radius
        return inside if inside.any() else outline(points, size, closed=True)
    if kind not in _POLYGONS:
        raise InputError(f"{path}: shape type {kind!r} is not known")
    if kind == "rectangle" and len(points) == 2:
        points = corners(*points.ravel())
    return filled(points, size)


def _mask(shape: dict[str, Any], size: tuple[int, int], path: Path) -> np.ndarray:
    """Return a shape that LabelMe stores as a picture from its first to its second point."""
    left, top = np.floor(np.clip(shape["points"][0], -1e9, 1e9)).astype(int).tolist()
    try:
        patch = decoded(base64.b64decode(shape["mask"]), cv2.IMREAD_GRAYSCALE)
    except (KeyError, TypeError, ValueError):
        patch = None
    if patch is None:
        raise InputError(f"{path}: the mask of {shape['label']!r} cannot be read")
    return pasted(patch > 0, left, top, size)
