"""COCO files: the shapes on many pictures in one file, as CVAT, Label Studio and others write it.

Read are `images` (`id`, `file_name`, `width`, `height`), `categories` (`id`, `name`) and
`annotations` (`image_id`, `category_id` and a `segmentation` of polygons or run lengths, or else a
`bbox`). Points count in the upright picture, as these tools show it.
"""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stainless.dataset.orientation import Frame, upright
from stainless.dataset.rle import decompressed, run_mask, whole
from stainless.dataset.sample import GOOD, KINDS, AnnotationClass, Sample, annotation_classes
from stainless.dataset.shapes import Drawn, corners, filled, painted, picture_label
from stainless.dataset.stated_size import StatedSize, drawn_size, stated_size
from stainless.dataset.text import read_json
from stainless.errors import InputError


class CocoImage(NamedTuple):
    """What a file says of one picture.

    Attributes:
        size: as far as it says.
        annotations: as they stand in the file, and the name of each one's category.
    """

    size: StatedSize
    annotations: list[tuple[str, dict[str, Any]]]


class CocoFile(NamedTuple):
    """A file's content.

    Attributes:
        kinds: supercategory by name of category, in the file's order.
        images: by `file_name`.
    """

    kinds: dict[str, str]
    images: dict[str, CocoImage]


def is_coco(content: Any) -> bool:
    """Tell whether the content of a JSON file is that of a COCO file."""
    return isinstance(content, dict) and all(
        isinstance(content.get(key), list) for key in ("images", "annotations")
    )


def read_coco(path: Path) -> CocoFile:
    """Return a file's content, read once as long as it does not change.

    Raises:
        InputError: it is missing or corrupt, or refers to what it does not list.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, length: int) -> CocoFile:
    content = read_json(path)
    if not is_coco(content) or not isinstance(content.get("categories", []), list):
        raise InputError(f'{path}: expected lists "images", "annotations" and "categories"')
    try:
        names = {entry["id"]: str(entry["name"]) for entry in content.get("categories", [])}
        kinds = {
            str(entry["name"]): str(entry.get("supercategory", ""))
            for entry in content.get("categories", [])
        }
        images = {}
        by_id: dict[Any, CocoImage] = {}
        for entry in content["images"]:
            name = str(entry["file_name"])
            size = stated_size(entry, ("height", "width"), f"{path}: image {name!r}")
            if name in images or entry["id"] in by_id:
                raise InputError(f"{path}: image {name!r} (id {entry['id']!r}) is listed twice")
            by_id[entry["id"]] = images[name] = CocoImage(size, [])
        for entry in content["annotations"]:
            for key, known in (("image_id", by_id), ("category_id", names)):
                if entry[key] not in known:
                    raise InputError(f"{path}: an annotation has {key} {entry[key]!r}, not listed")
            by_id[entry["image_id"]].annotations.append((names[entry["category_id"]], entry))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: an entry lacks a key or is no mapping ({error})") from None
    return CocoFile(kinds, images)


def coco_classes(path: Path) -> tuple[AnnotationClass, ...]:
    """Return the classes of a file whose supercategories are "defect", "impurity" or "ignore".

    Raises:
        InputError: another one is.
    """
    kinds = read_coco(path).kinds
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise InputError(
                f"{path}: category {name!r} has supercategory {kind!r}, expected "
                f"{', '.join(KINDS)}; else lay the file into the category and give a class map"
            )
    entries = ({"index": i, "name": name, "kind": kinds[name]} for i, name in _numbered(kinds))
    return tuple(annotation_classes(entries, path))


def _numbered(names: dict[str, str]) -> list[tuple[int, str]]:
    return list(enumerate(sorted(names), 1))


def coco_sample(
    image: Path, path: Path, entry: str, name: str, classes: tuple[AnnotationClass, ...]
) -> Sample:
    """Return the sample of an image that a file lists as `entry`.

    Raises:
        InputError: a category is not in the class map.
    """
    known = {item.name for item in classes}
    labels = [label for label, _ in read_coco(path).images[entry].annotations]
    for label in labels:
        if label not in known:
            names = ", ".join(sorted(known))
            raise InputError(f"{path}: category {label!r} is not in the class map: {names}")
    label = picture_label(labels, classes)
    return Sample(
        image, label, None if label == GOOD else path, name, name, path, classes, entry=entry
    )


def rasterise_coco(
    path: Path,
    entry: str,
    frame: Frame,
    classes: tuple[AnnotationClass, ...],
    mask_frame: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return class indices (H, W) uint8 and instance indices (H, W) uint16 of one picture.

    An annotation is an instance, numbered by its key `instance` where ours wrote it; with `iscrowd`
    1 it is none. Polygons of one annotation add up. Pixels and overlaps are as for LabelMe files.

    Raises:
        InputError: it is for another size, or a segmentation is corrupt.
    """
    image = read_coco(path).images[entry]
    size, is_stored = drawn_size(image.size, frame, mask_frame, f"{path}: {entry} has")
    shapes = []
    for label, annotation in image.annotations:
        inside = partial(_shape, annotation, size, f"{path}: {entry}: {label!r}")
        number = annotation.get("instance")
        shapes.append(Drawn(label, number or None, inside, bool(annotation.get("iscrowd"))))
    class_index, instance_index = painted(shapes, size, classes)
    if is_stored:
        return upright(class_index, frame.orientation), upright(instance_index, frame.orientation)
    return class_index, instance_index


def _shape(annotation: dict[str, Any], size: tuple[int, int], where: str) -> np.ndarray:
    try:
        return _inside(annotation, size)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{where} has a bad shape: {error}") from None


def _inside(annotation: dict[str, Any], size: tuple[int, int]) -> np.ndarray:
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        if tuple(segmentation["size"]) != size:
            raise ValueError(f"its size is {segmentation['size']}, expected {list(size)}")
        counts = segmentation["counts"]
        return run_mask(decompressed(counts) if isinstance(counts, str) else whole(counts), size)
    if segmentation:
        polygons = [np.array(polygon, float) for polygon in segmentation]
        if any(polygon.ndim != 1 or len(polygon) < 6 or len(polygon) % 2 for polygon in polygons):
            raise ValueError("expected polygons of x and y, three points or more")
        if not all(np.isfinite(polygon).all() for polygon in polygons):
            raise ValueError("a point is no number")
        return np.logical_or.reduce([filled(polygon.reshape(-1, 2), size) for polygon in polygons])
    left, top, width, height = (float(side) for side in annotation["bbox"])
    if not np.isfinite([left, top, width, height]).all():
        raise ValueError("a side of its box is no number")
    return filled(corners(left, top, left + width, top + height), size)
