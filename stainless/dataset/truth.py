"""Ground truth of a sample: mask, ignored area, classes and instances, whatever the layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from stainless.dataset.images import image_size, load_binary, load_indices
from stainless.dataset.labelme import rasterise
from stainless.dataset.sample import AnnotationClass, Sample, annotation_classes, list_images
from stainless.errors import InputError


class Annotation(NamedTuple):
    """What lies where on an image.

    Attributes:
        classes: (H, W) uint8 class index, 0 where there is nothing.
        instances: (H, W) uint16 instance index, 0 where there is nothing.
        names: the class that each index stands for.
    """

    classes: np.ndarray
    instances: np.ndarray
    names: dict[int, AnnotationClass]


def load_mask(sample: Sample) -> np.ndarray:
    """Return the defects of an image as (H, W) bool, in the pixels of `load_image`.

    Raises:
        InputError: the mask is missing, corrupt, of another size than the image, not binary, or
            marks nothing on an image that counts as defective.
    """
    size = image_size(sample.image)
    if sample.mask is None:
        return np.zeros(size, bool)
    if sample.mask.suffix.lower() == ".json":
        classes, _ = rasterise(sample.mask, size, sample.classes)
        mask = np.isin(classes, [entry.index for entry in sample.classes if entry.kind == "defect"])
    elif sample.mask.is_dir():
        mask = np.logical_or.reduce(_regions(sample.mask, size))
    else:
        mask = load_binary(sample.mask, size)
    if not mask.any():
        raise InputError(f"{sample.mask}: marks no pixel, but its image counts as {sample.label}")
    return mask


def load_annotation(sample: Sample) -> Annotation:
    """Return classes and instances of an image, impurities and ignored areas included.

    They come from the annotation images beside the dataset or from LabelMe. Without either, the
    one class is the sample's label and the instances are the 8-connected regions of its mask (of
    a folder of masks: its files).

    Raises:
        InputError: as `load_mask`, or an index that ROOT/annotations/classes.json does not name.
    """
    path = sample.annotation
    size = image_size(sample.image)
    if path is None:
        return _from_mask(sample, size)
    if path.suffix.lower() == ".json":
        classes, instances = rasterise(path, size, sample.classes)
        return Annotation(classes, instances, {entry.index: entry for entry in sample.classes})
    names = read_classes(_class_list(path))
    classes = load_indices(path, size, np.uint8)
    unknown = set(np.unique(classes).tolist()) - {0, *names}
    if unknown:
        raise InputError(f"{path}: has class {min(unknown)}, which classes.json does not name")
    beside = path.with_name(path.name.removesuffix("_class.png") + "_instance.png")
    return Annotation(classes, load_indices(beside, size, np.uint16), names)


def load_ignore(sample: Sample) -> np.ndarray | None:
    """Return the pixels that count for nothing as (H, W) bool; None without such a class."""
    if sample.annotation is None:
        return None
    is_labelme = sample.annotation.suffix.lower() == ".json"
    named = sample.classes if is_labelme else read_classes(_class_list(sample.annotation)).values()
    ignored = [entry.index for entry in named if entry.kind == "ignore"]
    return np.isin(load_annotation(sample).classes, ignored) if ignored else None


def mask_annotation(mask: np.ndarray, label: str) -> Annotation:
    """Return the annotation that a mask (H, W) bool amounts to: one class, its 8-connected regions.

    Raises:
        InputError: there are more regions than 16 bits can number.
    """
    count, regions = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    if count > np.iinfo(np.uint16).max:
        raise InputError(f"a mask of {label} has {count - 1} regions, more than 65535")
    names = {1: AnnotationClass(1, label, "defect")} if count > 1 else {}
    return Annotation(mask.astype(np.uint8), regions.astype(np.uint16), names)


def _from_mask(sample: Sample, size: tuple[int, int]) -> Annotation:
    if sample.mask is None or not sample.mask.is_dir():
        return mask_annotation(load_mask(sample), sample.label)
    instances = np.zeros(size, np.uint16)
    for number, region in enumerate(_regions(sample.mask, size), 1):
        instances[region] = number
    names = {1: AnnotationClass(1, sample.label, "defect")}
    return Annotation((instances > 0).astype(np.uint8), instances, names)


def _regions(folder: Path, size: tuple[int, int]) -> list[np.ndarray]:
    # MVTec LOCO gives every defect a file and every class of them a value of its own.
    return [load_binary(path, size, value=None) for path in list_images(folder)]


def _class_list(annotation: Path) -> Path:
    """Return the file that names the classes of an image somewhere below annotations/."""
    folders = [folder for folder in annotation.parents if folder.name == "annotations"]
    return folders[0] / "classes.json"


def read_classes(path: Path) -> dict[int, AnnotationClass]:
    """Return the classes that a file ROOT/annotations/classes.json names, by index.

    Raises:
        InputError: the file is missing, corrupt or no such list.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(f"{path}: is not JSON; it is corrupt or truncated") from None
    if not isinstance(content, dict) or not isinstance(content.get("classes"), list):
        raise InputError(f'{path}: has no list "classes"')
    return {entry.index: entry for entry in annotation_classes(content["classes"], path)}
