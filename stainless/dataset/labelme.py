"""LabelMe files: shapes drawn on an image, turned into class and instance indices.

The format is the one that LabelMe writes (`shapes` with `label`, `points`, `shape_type`,
`group_id`; `imageHeight`, `imageWidth`). Its coordinates count from the upper left corner of the
image; the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from stainless.dataset.sample import GOOD, KINDS, AnnotationClass, Sample, annotation_classes
from stainless.errors import InputError

#: The label of an image with defects of more than one class, as in MVTec AD.
COMBINED = "combined"


def class_map(source: Mapping[str, str] | Path | str) -> tuple[AnnotationClass, ...]:
    """Return what each LabelMe label stands for, numbered from 1 in alphabetical order.

    Args:
        source: {label: "defect" | "impurity" | "ignore"}, or a YAML or JSON file of it.

    Raises:
        InputError: the file is missing or is no such mapping.
    """
    mapping: Any = source
    where = "class map"
    if not isinstance(source, Mapping):
        where = str(source)
        try:
            mapping = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{source}: {(error.strerror or 'cannot be read').lower()}") from None
        except (yaml.YAMLError, UnicodeDecodeError):
            raise InputError(f"{source}: is neither YAML nor JSON") from None
    if not isinstance(mapping, Mapping) or not mapping:
        raise InputError(f"{where}: expected label: {' | '.join(KINDS)}, one a line")
    kinds = sorted((str(name), kind) for name, kind in mapping.items())
    return tuple(
        annotation_classes(
            (
                {"index": index, "name": name, "kind": kind}
                for index, (name, kind) in enumerate(kinds, 1)
            ),
            where,
        )
    )


def labelme_sample(image: Path, name: str, classes: tuple[AnnotationClass, ...]) -> Sample:
    """Return the sample of an image and the LabelMe file next to it, if there is one.

    Its label is "good" without a defect, the class of its defects, or "combined".
    """
    path = image.with_suffix(".json")
    if not path.is_file():
        return Sample(image, GOOD, None, name, name, None, classes)
    kinds = {entry.name: entry.kind for entry in classes}
    shapes = _read(path)["shapes"]
    defects = sorted(
        {label for label, *_ in _shapes(shapes, classes, path) if kinds[label] == "defect"}
    )
    label = GOOD if not defects else defects[0] if len(defects) == 1 else COMBINED
    return Sample(image, label, path if defects else None, name, name, path, classes)


def rasterise(
    path: Path, size: tuple[int, int], classes: tuple[AnnotationClass, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return class indices (H, W) uint8 and instance indices (H, W) uint16 of a LabelMe file.

    A pixel belongs to a polygon, rectangle or circle that its centre lies in; a line or a point,
    or a shape too thin to hold a centre, marks the pixels that it passes. Where shapes overlap, a
    defect covers an impurity and an ignored area covers both; among equals the later one wins.
    Shapes of one label and the same group_id are one instance. Instances keep their group_ids for
    numbers where each has one from 1 to 65535 of its own, and are numbered from 1 on otherwise.

    Raises:
        InputError: the file is corrupt, of another image size, or has an unknown label or shape.
    """
    content = _read(path)
    height, width = content.get("imageHeight"), content.get("imageWidth")
    if (height, width) != size:
        raise InputError(
            f"{path}: is for an image of {width}x{height} pixels, the image is {size[1]}x{size[0]}"
        )
    order = ("impurity", "defect", "ignore")
    by_name = {entry.name: entry for entry in classes}
    shapes = _shapes(content["shapes"], classes, path)
    shapes.sort(key=lambda shape: order.index(by_name[shape[0]].kind))
    class_index = np.zeros(size, np.uint8)
    instance_index = np.zeros(size, np.uint16)
    keys = [
        (label, position if group is None else f"group {group}")
        for position, (label, group, _) in enumerate(shapes)
    ]
    numbers = _numbers(dict(zip(keys, (group for _, group, _ in shapes), strict=True)))
    for key, (label, _, shape) in zip(keys, shapes, strict=True):
        inside = _shape_mask(shape, size, path)
        class_index[inside] = by_name[label].index
        instance_index[inside] = numbers[key]
    return class_index, instance_index


def _numbers(groups: dict[Any, Any]) -> dict[Any, int]:
    """Return the number of every instance, given its group_id."""
    ids = list(groups.values())
    own = all(type(group) is int and 1 <= group <= 65535 for group in ids)
    if own and len(set(ids)) == len(ids):
        return groups
    return {key: number for number, key in enumerate(groups, 1)}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(f"{path}: is not JSON; it is corrupt or truncated") from None
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
            label = str(shape["label"])
            shape["points"] = np.array(shape["points"], float).reshape(-1, 2)
        except (TypeError, KeyError, ValueError):
            raise InputError(f"{path}: a shape lacks its label or its points") from None
        if label not in known:
            names = ", ".join(sorted(known))
            raise InputError(f"{path}: label {label!r} is not in the class map: {names}")
        if not len(shape["points"]) or not np.isfinite(shape["points"]).all():
            raise InputError(f"{path}: a shape {label!r} has no points or one that is no number")
        found.append((label, shape.get("group_id"), shape))
    return found


def _shape_mask(shape: dict[str, Any], size: tuple[int, int], path: Path) -> np.ndarray:
    points = shape["points"]
    kind = shape.get("shape_type", "polygon")
    few = {"rectangle": 2, "circle": 2, "mask": 2, "line": 2, "linestrip": 2, "polygon": 3}
    if len(points) < few.get(kind, 1):
        raise InputError(f"{path}: a {kind} {shape['label']!r} has {len(points)} points")
    if kind == "mask":
        return _pasted(shape, size, path)
    if kind in ("line", "linestrip", "point", "points"):
        return _outline(points, size, closed=False)
    if kind == "circle":
        rows, columns = np.indices(size) + 0.5
        radius = np.hypot(*(points[1] - points[0]))
        inside = np.hypot(columns - points[0, 0], rows - points[0, 1]) <= radius
    elif kind in ("polygon", "rectangle"):
        if kind == "rectangle" and len(points) == 2:
            (left, top), (right, bottom) = points
            points = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        inside = polygon_mask(points, size)
    else:
        raise InputError(f"{path}: shape type {kind!r} is not known")
    return inside if inside.any() else _outline(points, size, closed=True)


def polygon_mask(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return (H, W) bool: the pixels whose centre is inside by the even-odd rule.

    Args:
        points: (N, 2) corners x, y in pixels.
        size: height and width in pixels.
    """
    height, width = size
    toggles = np.zeros((height, width + 1), np.int32)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        first, last = np.clip(np.ceil(np.sort([y0, y1]) - 0.5), 0, height).astype(int)
        if first == last:
            continue
        rows = np.arange(first, last)
        crossing = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        toggles[rows, np.clip(np.ceil(crossing - 0.5), 0, width).astype(int)] += 1
    return (toggles.cumsum(axis=1)[:, :width] & 1).astype(bool)


def _outline(points: np.ndarray, size: tuple[int, int], closed: bool) -> np.ndarray:
    canvas = np.zeros(size, np.uint8)
    corners = np.floor(np.clip(points, -1e6, 1e6)).astype(np.int32)
    # OpenCV draws a single point only as a line back to itself.
    cv2.polylines(canvas, [np.vstack([corners, corners[-1:]])], closed, 1)
    return canvas > 0


def _pasted(shape: dict[str, Any], size: tuple[int, int], path: Path) -> np.ndarray:
    """Return a shape that LabelMe stores as a picture from its first to its second point."""
    left, top = np.floor(shape["points"][0]).astype(int)
    try:
        data = np.frombuffer(base64.b64decode(shape["mask"]), np.uint8)
        patch = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    except (KeyError, TypeError, ValueError, cv2.error):
        patch = None
    if patch is None:
        raise InputError(f"{path}: the mask of {shape['label']!r} cannot be read")
    if left < 0 or top < 0 or top + patch.shape[0] > size[0] or left + patch.shape[1] > size[1]:
        raise InputError(f"{path}: the mask of {shape['label']!r} reaches out of the image")
    canvas = np.zeros(size, bool)
    canvas[top : top + patch.shape[0], left : left + patch.shape[1]] = patch > 0
    return canvas
