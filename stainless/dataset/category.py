"""Reading of one category: MVTec AD and MVTec LOCO layout, plain folders, LabelMe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stainless.dataset.groups import read_groups
from stainless.dataset.labelme import class_map, labelme_sample
from stainless.dataset.sample import GOOD, AnnotationClass, Sample, list_images
from stainless.errors import InputError

SPLITS = ("train", "test", "validation")

#: Folders beside the categories that are none.
_BESIDE = ("annotations", "validation")


def read_category(
    root: Path | str,
    category: str,
    split: str,
    classes: Mapping[str, str] | Path | str | None = None,
) -> list[Sample]:
    """Return the samples of one split of ROOT/CATEGORY, sorted by name.

    Layouts, found by what is there:

    * MVTec AD: `train/good/`, `test/<label>/`, `ground_truth/<label>/<stem>_mask.png` (or
      `<stem>.png`; MVTec LOCO: a folder `<stem>/` of masks). Images and masks are paired by name.
    * The split "validation" is the test split of ROOT/validation/CATEGORY, or else the nominal
      images of ROOT/CATEGORY/validation/good (MVTec LOCO).
    * A plain folder of images, without any of these, is nominal and serves for training.
    * With `classes`: LabelMe files `<stem>.json` next to the images of `train/`, `test/` or
      `validation/`, or of the category itself. An image without one has nothing marked on it,
      since LabelMe does not save an empty file.

    Args:
        root: the folder of the dataset.
        category: a folder in it; "." where the root itself is the category.
        split: "train", "test" or "validation".
        classes: what LabelMe's labels stand for: {label: "defect" | "impurity" | "ignore"}, or a
            YAML or JSON file of it.

    Raises:
        InputError: one line that names the file: an unknown category or split, a split without
            images, an image without mask or a mask without image, a defect in the training split,
            an image that groups.csv leaves out.
    """
    root = Path(root)
    folder = root / category
    if split not in SPLITS:
        raise InputError(f"split is {split!r}, expected {', '.join(SPLITS)}")
    if not category or not folder.is_dir():
        there = ", ".join(list_categories(root)) or "none"
        raise InputError(f"{root}: has no category {category!r}; there are: {there}")
    if classes is not None:
        samples = _read_labelme(root, category, split, class_map(classes))
    elif split == "train":
        samples = _read_train(folder)
    elif split == "test":
        samples = _read_labelled(folder / "test", folder / "ground_truth", split)
    else:
        samples = _read_validation(root, category)
    samples = [_annotated(sample, root / "annotations", category) for sample in samples]
    return sorted(_grouped(samples, folder, split), key=lambda sample: sample.name)


def list_categories(root: Path) -> list[str]:
    """Return the names of the categories in `root`: folders with images or with a split in them."""
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    return sorted(
        folder.name
        for folder in root.iterdir()
        if folder.is_dir()
        and folder.name not in _BESIDE
        and folder.name[0] != "."
        and (any((folder / split).is_dir() for split in SPLITS) or list_images(folder))
    )


def _read_train(folder: Path) -> list[Sample]:
    place = folder / "train"
    if place.is_dir():
        for other in sorted(place.iterdir()):
            if other.is_dir() and other.name != GOOD and list_images(other):
                raise InputError(f"{other}: training images must be nominal, in {place / GOOD}")
        place = place / GOOD if (place / GOOD).is_dir() else place
    elif not any((folder / split).is_dir() for split in SPLITS):
        place = folder
    return _good(place, "train")


def has_validation(root: Path, category: str) -> bool:
    """Tell whether a dataset brings a validation split of a category."""
    return any(place.is_dir() for place in _validation_places(root, category))


def _validation_places(root: Path, category: str) -> tuple[Path, Path]:
    """Return where a validation split may lie: a tree of its own, or inside the category (LOCO)."""
    return root / "validation" / category, root / category / "validation"


def _read_validation(root: Path, category: str) -> list[Sample]:
    tree, inside = _validation_places(root, category)
    if tree.is_dir():
        return _read_labelled(tree / "test", tree / "ground_truth", "validation")
    if (inside / GOOD).is_dir():
        return _good(inside / GOOD, "validation")
    raise InputError(f"{root / category}: has no validation split, neither {tree} nor {inside}")


def _good(place: Path, split: str) -> list[Sample]:
    paths = _some_images(place)
    _refuse_labelme(paths)
    return [_sample(path, GOOD, None, split) for path in paths]


def _read_labelled(place: Path, truth: Path, split: str) -> list[Sample]:
    if not place.is_dir():
        raise InputError(f"{place}: no such folder, so there is no {split} split")
    samples = []
    unused = _masks(truth)
    for label_folder in sorted(path for path in place.iterdir() if path.is_dir()):
        label = label_folder.name
        paths = list_images(label_folder)
        _refuse_labelme(paths)
        for path in paths:
            mask = None
            if label != GOOD:
                keys = [(label, f"{path.stem}_mask"), (label, path.stem)]
                mask = next((unused.pop(key) for key in keys if key in unused), None)
                if mask is None:
                    wanted = truth / label / f"{path.stem}_mask.png"
                    raise InputError(f"{path}: has no mask; expected {wanted}")
            samples.append(_sample(path, label, mask, split))
    if unused:
        mask = min(unused.values())
        raise InputError(f"{mask}: mask without an image of its name in {place / mask.parent.name}")
    if not samples:
        raise InputError(f"{place}: has no images in folders named by class (good, ...)")
    return samples


def _masks(truth: Path) -> dict[tuple[str, str], Path]:
    """Return every mask, or folder of masks, by its label and name without ending."""
    found = {}
    for folder in sorted(truth.iterdir()) if truth.is_dir() else []:
        if not folder.is_dir():
            continue
        for path in list_images(folder):
            found[folder.name, path.stem] = path
        for path in sorted(folder.iterdir()):
            if path.is_dir() and list_images(path):
                found[folder.name, path.name] = path
    return found


def _read_labelme(
    root: Path, category: str, split: str, classes: tuple[AnnotationClass, ...]
) -> list[Sample]:
    folder = root / category
    place = folder / split
    if split == "validation" and not place.is_dir():
        place = root / "validation" / category
    elif not place.is_dir() and not any((folder / other).is_dir() for other in SPLITS):
        place = folder
    samples = []
    for path in _some_images(place, deep=True):
        name = f"{split}/{path.relative_to(place).with_suffix('').as_posix()}"
        sample = labelme_sample(path, name, classes)
        if split == "train" and not sample.is_good:
            raise InputError(f"{sample.mask}: marks a defect, but training images must be nominal")
        samples.append(sample)
    return samples


def _some_images(place: Path, deep: bool = False) -> list[Path]:
    if not place.is_dir():
        raise InputError(f"{place}: no such folder")
    paths = list_images(place, deep)
    if not paths:
        raise InputError(f"{place}: has no images (png, jpg, bmp or tif)")
    return paths


def _refuse_labelme(paths: list[Path]) -> None:
    for path in paths:
        if path.with_suffix(".json").is_file():
            raise InputError(
                f"{path.with_suffix('.json')}: a LabelMe file needs a class map that says which "
                "labels are a defect, an impurity or to be ignored"
            )


def _sample(image: Path, label: str, mask: Path | None, split: str) -> Sample:
    name = f"{split}/{label}/{image.stem}"
    return Sample(image, label, mask, name, name)


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


def _grouped(samples: list[Sample], folder: Path, split: str) -> list[Sample]:
    groups = read_groups(folder)
    if not groups:
        return samples
    grouped = []
    for sample in samples:
        key = os.path.relpath(sample.image, folder)
        if key not in groups and split != "train":
            raise InputError(f"{folder / 'groups.csv'}: has no row for {Path(key).as_posix()}")
        grouped.append(replace(sample, group=groups.get(key, sample.group)))
    return grouped
