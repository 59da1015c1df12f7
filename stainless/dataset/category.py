"""Reading of one category, whatever its layout."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stainless.dataset.folder_names import refuse_misnamed
from stainless.dataset.folders import (
    note_loose,
    note_stray,
    read_labelled,
    read_nominal,
    read_plain,
)
from stainless.dataset.groups import grouped
from stainless.dataset.labels import read_shapes, refuse_labels
from stainless.dataset.layouts import ANNOTATIONS, VALIDATION, Loco
from stainless.dataset.left_masks import refuse_left_masks
from stainless.dataset.listing import Skipped, folders, list_images
from stainless.dataset.sample import GOOD, Sample
from stainless.dataset_options import FRAMES
from stainless.errors import DataWarning, InputError

SPLITS = ("train", "test", "validation")

#: Folders beside the categories that are none.
BESIDE = (ANNOTATIONS, VALIDATION)

#: MVTec LOCO's list of defects, in a category.
DEFECTS = Loco.config


def read_category(
    root: Path | str,
    category: str,
    split: str,
    classes: Mapping[str, str] | Path | str | None = None,
    mask_frame: str | None = None,
    white_level: int | None = None,
) -> list[Sample]:
    """Return the samples of one split of ROOT/CATEGORY, sorted by name.

    Layouts, found by what is there (docs/inputs.md has all of it):

    * MVTec AD: `train/good/`, `test/<label>/`, `ground_truth/<label>/<stem>_mask.png` (or
      `<stem>.png`; MVTec LOCO: a folder `<stem>/` of masks). Images and masks are paired by name.
      Without any mask, defects are known by picture only (`Sample.truth`).
    * The split "validation" is the test split of ROOT/validation/CATEGORY, or else the nominal
      images of ROOT/CATEGORY/validation (MVTec LOCO).
    * A plain folder of images, without any of these, is nominal and serves for training.
    * With `classes`: LabelMe files `<stem>.json` next to the images of `train/`, `test/` or
      `validation/`, or of the category itself, or COCO files. An image without a LabelMe file has
      nothing marked on it, since LabelMe does not save an empty one.

    Pictures that are left out, since they are of another format or lie in no folder of a class,
    are named by a `DataWarning`.

    Args:
        root: the folder of the dataset.
        category: a folder in it; "." where the root itself is the category.
        split: "train", "test" or "validation".
        classes: what the labels of shapes stand for: {label: "defect" | "impurity" | "ignore"}, a
            YAML or JSON file of it, or a COCO file whose supercategories say it.
        mask_frame: "stored" or "upright": the picture that masks were drawn on, for pictures that
            are turned by an orientation tag where the size of the mask does not tell.
        white_level: the value of 16-bit pixels that is white; None for what each file says.

    Raises:
        InputError: one line that names the file: an unknown category or split, a split without
            images, an image without mask or a mask or another label without image, a defect in
            the training split, an image that groups.csv leaves out.
    """
    root = Path(root)
    folder = root / category
    _check(root, category, split, mask_frame, white_level)
    refuse_misnamed(folder)
    skipped = Skipped()
    if classes is not None:
        samples = read_shapes(root, category, split, classes, skipped)
    else:
        refuse_labels(root, category, split)
        samples = _read_folders(root, category, split, skipped)
        if is_split_up(folder):
            _refuse_left_masks(root, category, samples)
    if is_split_up(folder):
        note_stray(folder, BESIDE if folder.resolve() == root.resolve() else (), skipped)
    skipped.warn()
    if split == "test" and not any(sample.is_good for sample in samples):
        warnings.warn(
            f"{folder}: its test split has no good picture, so every alarm there is right",
            DataWarning,
            stacklevel=2,
        )
    samples = [_annotated(sample, root / ANNOTATIONS, category) for sample in samples]
    if mask_frame is not None or white_level is not None:
        samples = [
            replace(sample, mask_frame=mask_frame, white_level=white_level) for sample in samples
        ]
    return sorted(grouped(samples, folder, split), key=lambda sample: sample.name)


def _refuse_left_masks(root: Path, category: str, samples: list[Sample]) -> None:
    images = [sample.image for sample in samples]
    tree = root / VALIDATION / category
    for folder in (root / category, tree if tree.is_dir() else None):
        if folder is not None:
            refuse_left_masks(root, folder, images)


def _check(
    root: Path, category: str, split: str, mask_frame: str | None, white_level: int | None
) -> None:
    if split not in SPLITS:
        raise InputError(f"split is {split!r}, expected {', '.join(SPLITS)}")
    if mask_frame not in (None, *FRAMES):
        raise InputError(f"mask frame is {mask_frame!r}, expected {' or '.join(FRAMES)}")
    if white_level is not None and not 1 <= white_level <= 65535:
        raise InputError(f"white level is {white_level}, expected 1 to 65535")
    if not category or not (root / category).is_dir():
        there = ", ".join(list_categories(root)) or "none"
        raise InputError(f"{root}: has no category {category!r}; there are: {there}")


def list_categories(root: Path) -> list[str]:
    """Return the names of the categories in `root`: folders with images or with a split in them."""
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    return [
        folder.name
        for folder in folders(root)
        if folder.name not in BESIDE and (is_split_up(folder) or list_images(folder))
    ]


def is_split_up(folder: Path) -> bool:
    """Tell whether a category has folders for its splits."""
    return any((folder / split).is_dir() for split in SPLITS)


def has_validation(root: Path, category: str) -> bool:
    """Tell whether a dataset brings a validation split of a category."""
    return any(place.is_dir() for place in _validation_places(root, category))


def has_split(root: Path, category: str, split: str, shapes: bool = False) -> bool:
    """Tell whether a category has a split at all.

    Args:
        root, category, split: as for `read_category`.
        shapes: labels are shapes; a folder without splits then serves for testing, not for
            training.
    """
    if split == "validation":
        return has_validation(root, category)
    folder = root / category
    bare = split == ("test" if shapes else "train") and not is_split_up(folder)
    return bare or (folder / split).is_dir()


def _read_folders(root: Path, category: str, split: str, skipped: Skipped) -> list[Sample]:
    folder = root / category
    listed = [place / DEFECTS for place in (root / VALIDATION / category, folder)]
    own = listed if split == "validation" else listed[1:]
    defects = next((path for path in own if path.is_file()), None)
    if split == "train" and not is_split_up(folder):
        return read_plain(root, folder, skipped)
    note_loose(folder, skipped)
    if split == "train":
        return read_nominal(folder / "train", split, skipped)
    if split == "test":
        return read_labelled(folder / "test", folder / "ground_truth", split, skipped, defects)
    tree, inside = _validation_places(root, category)
    if tree.is_dir():
        return read_labelled(tree / "test", tree / "ground_truth", split, skipped, defects)
    if inside.is_dir():
        return read_nominal(inside, split, skipped)
    raise InputError(f"{folder}: has no validation split, neither {tree} nor {inside / GOOD}")


def _validation_places(root: Path, category: str) -> tuple[Path, Path]:
    """Return where a validation split may lie: a tree of its own, or in the category (LOCO)."""
    return root / VALIDATION / category, root / category / VALIDATION


def _annotated(sample: Sample, annotations: Path, category: str) -> Sample:
    if sample.annotation is not None:
        return sample
    places = [annotations / category / sample.name]
    split, _, below = sample.name.partition("/")
    if split == "validation":
        # A validation tree is a category of its own, whose pictures are its test split.
        places.append(annotations / "validation" / category / "test" / below)
    paths = [place.with_name(f"{place.name}_class.png") for place in places]
    return replace(sample, annotation=next((path for path in paths if path.is_file()), None))
