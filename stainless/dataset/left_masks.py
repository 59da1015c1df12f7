"""Masks that nobody would read: of another format, or in a folder of another name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from stainless.dataset.layouts import ANNOTATIONS
from stainless.dataset.listing import OTHER_ENDINGS, files_below, folders, is_image
from stainless.dataset.text import composed
from stainless.errors import InputError

GROUND_TRUTH = "ground_truth"

#: How names of masks end that people lay beside pictures, and of folders of masks.
MASK_ENDINGS = ("_mask", "_label", "_gt", "_seg", "_annotation")
MASK_FOLDERS = frozenset(
    ("mask", "masks", "label", "labels", "gt", "groundtruth", "annotations", "segmentation")
)


def is_mask_folder(name: str) -> bool:
    """Tell whether people give this name to a folder of masks, however they write it."""
    return re.sub(r"[\W_]+", "", name.casefold()) in MASK_FOLDERS


def unmasked(stem: str) -> str:
    """Return the name of the picture that a mask of this name would belong to."""
    for ending in MASK_ENDINGS:
        if stem.casefold().endswith(ending):
            return stem[: -len(ending)]
    return stem


def refuse_left_masks(root: Path, folder: Path, pictures: Iterable[Path]) -> None:
    """Refuse masks of pictures of a category with splits that no reader looks at.

    Args:
        root: the folder of the dataset.
        folder: the category.
        pictures: those that are read.

    Raises:
        InputError: names the first one and what is expected.
    """
    names = {composed(path.stem) for path in pictures}
    truth = folder / GROUND_TRUTH
    for path in files_below(truth) if truth.is_dir() else ():
        is_left = path.suffix.lower() in OTHER_ENDINGS or _is_about(path, names)
        if not is_image(path) and is_left:
            raise InputError(
                f"{path}: is of a format in which no masks are read, expected PNG, BMP or TIFF"
            )
    is_root = root.resolve() == folder.resolve()
    beside = [path for path in folders(folder) if path.name != GROUND_TRUTH]
    if not is_root:
        beside += [path / folder.name for path in folders(root)]
    for other in beside:
        named = other if other.parent == folder else other.parent
        is_ours = named.name == ANNOTATIONS and named.parent == root
        if is_ours or not is_mask_folder(named.name) or not other.is_dir():
            continue
        for path in files_below(other):
            is_picture = is_image(path) or path.suffix.lower() in OTHER_ENDINGS
            if is_picture and _is_about(path, names):
                raise InputError(
                    f"{path}: seems to be the mask of a picture in {folder}, expected it below "
                    f"{truth}/<class>/"
                )


def _is_about(path: Path, names: set[str]) -> bool:
    return bool(names & {composed(path.stem), composed(unmasked(path.stem))})
