"""Shapes drawn on a picture, turned into class and instance indices.

Coordinates count from the upper left corner of the upright picture; the centre of the first pixel
is (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from stainless.dataset.sample import GOOD, AnnotationClass

#: The label of an image with defects of more than one class, as in MVTec AD.
COMBINED = "combined"

#: What covers what: the later kind the earlier one.
_ORDER = ("impurity", "defect", "ignore")


class Drawn(NamedTuple):
    """A shape as pixels.

    Attributes:
        label: its class.
        group: the number that a tool gave to its instance; None without.
        inside: returns it as (H, W) bool; a picture may have thousands, of which only one is held.
        is_crowd: it stands for no instance.
    """

    label: str
    group: Any
    inside: Callable[[], np.ndarray]
    is_crowd: bool = False


def picture_label(labels: Iterable[str], classes: Iterable[AnnotationClass]) -> str:
    """Return an image's label: "good" without a defect, the class of its defects, or "combined"."""
    kinds = {entry.name: entry.kind for entry in classes}
    defects = sorted({label for label in labels if kinds[label] == "defect"})
    return GOOD if not defects else defects[0] if len(defects) == 1 else COMBINED


def painted(
    shapes: Sequence[Drawn], size: tuple[int, int], classes: Iterable[AnnotationClass]
) -> tuple[np.ndarray, np.ndarray]:
    """Return class indices (H, W) uint8 and instance indices (H, W) uint16 of shapes.

    Where shapes overlap, a defect covers an impurity and an ignored area covers both; among equals
    the later one wins. Shapes of one label and the same group are one instance. Instances keep
    their groups for numbers where each has one from 1 to 65535 of its own, and are numbered from
    1 on otherwise; a crowd has number 0.
    """
    by_name = {entry.name: entry for entry in classes}
    ordered = sorted(shapes, key=lambda shape: _ORDER.index(by_name[shape.label].kind))
    class_index = np.zeros(size, np.uint8)
    instance_index = np.zeros(size, np.uint16)
    keys = [
        (shape.label, position if shape.group is None else f"group {shape.group}")
        for position, shape in enumerate(ordered)
    ]
    groups = {
        key: shape.group for key, shape in zip(keys, ordered, strict=True) if not shape.is_crowd
    }
    numbers = _numbers(groups)
    for key, shape in zip(keys, ordered, strict=True):
        inside = shape.inside()
        class_index[inside] = by_name[shape.label].index
        instance_index[inside] = 0 if shape.is_crowd else numbers[key]
    return class_index, instance_index


def _numbers(groups: dict[Any, Any]) -> dict[Any, int]:
    """Return the number of every instance, given its group."""
    ids = list(groups.values())
    own = all(type(group) is int and 1 <= group <= 65535 for group in ids)
    if own and len(set(ids)) == len(ids):
        return groups
    return {key: number for number, key in enumerate(groups, 1)}


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


def outline(points: np.ndarray, size: tuple[int, int], closed: bool) -> np.ndarray:
    """Return (H, W) bool: the pixels that the line through the points passes."""
    canvas = np.zeros(size, np.uint8)
    corners = np.floor(np.clip(points, -1e6, 1e6)).astype(np.int32)
    # OpenCV draws a single point only as a line back to itself.
    cv2.polylines(canvas, [np.vstack([corners, corners[-1:]])], closed, 1)
    return canvas > 0


def filled(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return `polygon_mask`, or the outline of a polygon too thin to hold a centre."""
    inside = polygon_mask(points, size)
    return inside if inside.any() else outline(points, size, closed=True)


def corners(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return the corners (4, 2) of a rectangle."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def pasted(patch: np.ndarray, left: int, top: int, size: tuple[int, int]) -> np.ndarray:
    """Return (H, W) bool: a patch (h, w) bool laid on a picture, cut off at the picture's edge."""
    canvas = np.zeros(size, bool)
    rows = slice(max(0, top), max(0, min(size[0], top + patch.shape[0])))
    columns = slice(max(0, left), max(0, min(size[1], left + patch.shape[1])))
    canvas[rows, columns] = patch[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return canvas
