"""A dataset as the exports see it: its pictures, its classes, and the instances on a picture."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stainless.dataset import (
    GOOD,
    SPLITS,
    AnnotationClass,
    Sample,
    has_split,
    image_size,
    list_images,
    load_annotation,
    read_category,
    read_classes,
    read_defects,
)
from stainless.dataset.label_files import label_files
from stainless.dataset.layouts import VALIDATION
from stainless.dataset_options import add_reading, reading
from stainless.errors import InputError


class Instance(NamedTuple):
    """One thing on a picture.

    Attributes:
        number: as the annotation numbers it; 0 for pixels of a class that belong to none.
        of: its class.
        pixels: where it is, column by column from the left, each downwards: column * height + row.
    """

    number: int
    of: AnnotationClass
    pixels: npt.NDArray[np.int64]


class Box(NamedTuple):
    """The smallest rectangle around an instance, in pixels."""

    left: int
    top: int
    width: int
    height: int


def add_split(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name one split of a category."""
    parser.add_argument("--data", type=Path, required=True, help="root folder of the dataset")
    parser.add_argument("--category", required=True, help="folder in it")
    parser.add_argument("--split", required=True, choices=SPLITS, help="split of the category")
    add_reading(parser)


def refuse_other_level(root: Path) -> None:
    """Refuse a folder above or below a dataset, of which the dataset's own readers make little.

    Raises:
        InputError: there is no such folder, it holds datasets, or it is a category.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    if _is_category(root):
        raise InputError(
            f"{root}: is a category, expected the dataset that it lies in, {root.resolve().parent}"
        )
    below = [folder for folder in _folders(root) if any(map(_is_category, _folders(folder)))]
    if below and not any(map(_is_category, _folders(root))):
        names = ", ".join(folder.name for folder in below)
        raise InputError(f"{root}: is no dataset, expected one of those in it: {names}")


def _is_category(folder: Path) -> bool:
    # A dataset may have a folder "validation" too.
    return any((folder / split).is_dir() for split in ("train", "test"))


def _folders(root: Path) -> list[Path]:
    beside = ("annotations", "validation")
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name not in beside)


def refuse_inside(out: Path, root: Path) -> None:
    """Refuse to write into the dataset: whatever else reads it would take that for its own.

    Raises:
        InputError: `out` lies in `root`.
    """
    if out.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{out}: lies in the dataset {root}, expected a place outside of it")


def way_to(root: Path, folder: Path) -> str:
    """Return the way from a folder to a dataset; the two may move together."""
    return Path(os.path.relpath(root.resolve(), folder.resolve())).as_posix()


def is_masked(root: Path, category: str, classes: Path) -> bool:
    """Tell whether a category has masks alone, so that its truth needs no class map.

    Args:
        root: of the dataset.
        category: a folder in it.
        classes: the class map, which is no label file wherever it lies.
    """
    places = [place / category / "ground_truth" for place in (root, root / VALIDATION)]
    if not any(place.is_dir() and list_images(place, deep=True) for place in places):
        return False
    labels = (
        path
        for split in SPLITS
        if has_split(root, category, split)
        for path, _ in label_files(root, category, split)
    )
    return all(path.resolve() == classes.resolve() for path in labels)


def read_split(args: argparse.Namespace, category: str, split: str) -> list[Sample]:
    """Return the pictures of a split, sorted by name, with their ground truth.

    Args:
        args: where the dataset is and how it is read.
        category: a folder in it.
        split: which one.

    Raises:
        InputError: there is no such dataset, category or split, or it is not in order.
    """
    if not args.data.is_dir():
        raise InputError(f"{args.data}: no such folder")
    return read_category(args.data, category, split, **reading(args))


def read_marked(args: argparse.Namespace) -> list[Sample]:
    """Return the pictures of the split that the arguments of `add_split` name, to be exported.

    Raises:
        InputError: as `read_split`, or a defect has no mask: its export would show a good picture.
    """
    samples = read_split(args, args.category, args.split)
    for sample in samples:
        if sample.truth != "pixel":
            raise InputError(f"{sample.image}: has no mask, only its class {sample.label} is known")
    return samples


def class_table(
    root: Path, categories: Iterable[str], samples: Iterable[Sample]
) -> dict[str, AnnotationClass]:
    """Return the classes of a dataset by name; their indices agree between all its splits.

    They are those of annotations/classes.json, or of a class map where labels are shapes. Labels of
    pictures that have nothing but a mask follow (of MVTec LOCO: the defects of
    defects_config.json); where there are no annotations at all, these are all labels that the
    categories have.

    Raises:
        InputError: classes.json is corrupt, or there are more than 255 classes.
    """
    samples = list(samples)
    listed = root / "annotations" / "classes.json"
    shapes = next((sample.classes for sample in samples if sample.classes), ())
    named = list(read_classes(listed).values()) if listed.is_file() else []
    found = {entry.name: entry for entry in named or shapes}
    for entry in shapes:
        last = max(known.index for known in found.values())
        found.setdefault(entry.name, replace(entry, index=last + 1))
    labels = {
        label for sample in samples if sample.annotation is None for label in _mask_labels(sample)
    }
    if not found:
        labels |= {label for category in categories for label in _labels(root, category)}
    last = max((entry.index for entry in found.values()), default=0)
    for index, label in enumerate(sorted(labels - {GOOD, *found}), last + 1):
        found[label] = AnnotationClass(index, label, "defect")
    if any(entry.index > 255 for entry in found.values()):
        raise InputError(f"{root}: has {len(found)} classes, expected 255 at most")
    return found


def _mask_labels(sample: Sample) -> list[str]:
    if sample.defects is None:
        return [sample.label]
    return [defect.name for defect in read_defects(sample.defects).values()]


def _labels(root: Path, category: str) -> Iterator[str]:
    for folder in (root / category, root / "validation" / category):
        for path in (folder / "test").glob("*"):
            if path.is_dir():
                yield path.name


def instances(sample: Sample, classes: dict[str, AnnotationClass]) -> list[Instance]:
    """Return what lies on a picture, sorted by number, then by class.

    Raises:
        InputError: the annotation is corrupt, of another size, or at odds with itself.
    """
    index, number, names = load_annotation(sample)
    # Column by column, as COCO counts.
    index, number = index.T.ravel(), number.T.ravel()
    stray = np.flatnonzero((index == 0) & (number > 0))
    if len(stray):
        column, row = divmod(int(stray[0]), image_size(sample.image)[0])
        raise InputError(
            f"{sample.annotation}: has no class at row {row}, column {column}, where its instance "
            f"image has {number[stray[0]]}"
        )
    pixels = np.flatnonzero(index)
    if not len(pixels):
        return []
    keys = number[pixels].astype(np.int64) << 8 | index[pixels]
    order = np.argsort(keys, kind="stable")
    groups, starts = np.unique(keys[order], return_index=True)
    return [
        Instance(int(key) >> 8, classes[names[int(key) & 255].name], members)
        for key, members in zip(groups, np.split(pixels[order], starts[1:]), strict=True)
    ]


def bounding_box(pixels: npt.NDArray[np.int64], height: int) -> Box:
    """Return the rectangle around the pixels of an instance on a picture of some height."""
    columns, rows = np.divmod(pixels, height)
    left, top = int(columns.min()), int(rows.min())
    return Box(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)
