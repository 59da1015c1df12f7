"""Ground truth of a sample: mask, ignored area, classes and instances, whatever the layout."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from stainless.dataset.coco import rasterise_coco
from stainless.dataset.images import frame_of
from stainless.dataset.labelme import rasterise
from stainless.dataset.masks import load_binary, load_indices
from stainless.dataset.orientation import Frame
from stainless.dataset.regions import load_regions
from stainless.dataset.sample import AnnotationClass, Sample, annotation_classes
from stainless.dataset.text import read_json
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
        InputError: there is no mask of a defective image, or it is corrupt, of another size than
            the image, not binary, or marks nothing; or one of a good image marks something.
    """
    frame = frame_of(sample.image)
    if sample.mask is None:
        if not sample.is_good:
            raise InputError(f"{sample.image}: has no mask, only its class {sample.label} is known")
        return np.zeros(frame.size, bool)
    if is_shapes(sample.mask):
        classes, _ = _rasterised(sample.mask, sample, frame)
        defects = [entry.index for entry in sample.classes if entry.kind == "defect"]
        mask = np.isin(classes, defects)
    elif sample.mask.is_dir():
        mask = np.logical_or.reduce([region.mask for region in load_regions(sample)])
    else:
        mask = load_binary(sample.mask, frame, sample.mask_frame)
    if sample.is_good and mask.any():
        raise InputError(f"{sample.mask}: marks pixels, but its image counts as {sample.label}")
    if not sample.is_good and not mask.any():
        raise InputError(f"{sample.mask}: marks no pixel, but its image counts as {sample.label}")
    return mask


def load_annotation(sample: Sample) -> Annotation:
    """Return classes and instances of an image, impurities and ignored areas included.

    They come from the annotation images beside the dataset or from LabelMe or COCO files. Without
    either, the one class is the sample's label and the instances are the 8-connected regions of its
    mask. Of a folder of masks, each file is an instance, whose class is the one that
    defects_config.json has for its value.

    Raises:
        InputError: as `load_mask`, or an index that ROOT/annotations/classes.json does not name.
    """
    path = sample.annotation
    if path is None:
        return _from_mask(sample)
    frame = frame_of(sample.image)
    if is_shapes(path):
        classes, instances = _rasterised(path, sample, frame)
        return Annotation(classes, instances, {entry.index: entry for entry in sample.classes})
    names = read_classes(_class_list(path))
    classes = load_indices(path, frame, np.uint8, sample.mask_frame)
    unknown = set(np.unique(classes).tolist()) - {0, *names}
    if unknown:
        raise InputError(f"{path}: has class {min(unknown)}, which classes.json does not name")
    beside = path.with_name(path.name.removesuffix("_class.png") + "_instance.png")
    instances = load_indices(beside, frame, np.uint16, sample.mask_frame)
    return Annotation(classes, instances, names)


def load_ignore(sample: Sample) -> np.ndarray | None:
    """Return the pixels that count for nothing as (H, W) bool; None without such a class."""
    if sample.annotation is None:
        return None
    has_shapes = is_shapes(sample.annotation)
    named = sample.classes if has_shapes else read_classes(_class_list(sample.annotation)).values()
    ignored = [entry.index for entry in named if entry.kind == "ignore"]
    return np.isin(load_annotation(sample).classes, ignored) if ignored else None


def is_shapes(path: Path) -> bool:
    """Tell whether a mask or an annotation is a file of shapes, LabelMe's or COCO's."""
    return path.suffix.lower() == ".json"


def _rasterised(path: Path, sample: Sample, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    if sample.entry:
        return rasterise_coco(path, sample.entry, frame, sample.classes, sample.mask_frame)
    return rasterise(path, frame, sample.classes, sample.mask_frame)


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


def _from_mask(sample: Sample) -> Annotation:
    if sample.mask is None or not sample.mask.is_dir():
        return mask_annotation(load_mask(sample), sample.label)
    regions = load_regions(sample)
    names = {
        index: AnnotationClass(index, name, "defect")
        for index, name in enumerate(sorted({region.name for region in regions}), 1)
    }
    index_of = {entry.name: index for index, entry in names.items()}
    classes = np.zeros(regions[0].mask.shape, np.uint8)
    instances = np.zeros(classes.shape, np.uint16)
    for number, region in enumerate(regions, 1):
        classes[region.mask], instances[region.mask] = index_of[region.name], number
    return Annotation(classes, instances, names)


def _class_list(annotation: Path) -> Path:
    """Return the file that names the classes of an image somewhere below annotations/."""
    folders = [folder for folder in annotation.parents if folder.name == "annotations"]
    return folders[0] / "classes.json"


def read_classes(path: Path) -> dict[int, AnnotationClass]:
    """Return the classes that a file ROOT/annotations/classes.json names, by index.

    Raises:
        InputError: the file is missing, corrupt or no such list.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("classes"), list):
        raise InputError(f'{path}: has no list "classes"')
    return {entry.index: entry for entry in annotation_classes(content["classes"], path)}
