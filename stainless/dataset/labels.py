"""Files that label pictures: which there are, to which picture each belongs, and none left over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from stainless.dataset.class_map import class_map
from stainless.dataset.coco import CocoFile, coco_classes, coco_sample, is_coco, read_coco
from stainless.dataset.folders import pictures
from stainless.dataset.label_files import COCO, LABELME, json_of, label_files, place_of
from stainless.dataset.labelme import labelme_sample
from stainless.dataset.listing import Skipped, folders, list_images
from stainless.dataset.sample import GOOD, AnnotationClass, Sample
from stainless.dataset.text import spelled
from stainless.errors import InputError

#: Words in the name of a COCO file that tell which split it is about.
_WORDS = {"train": {"train"}, "test": {"test"}, "validation": {"val", "valid", "validation"}}


def read_shapes(
    root: Path,
    category: str,
    split: str,
    classes: Mapping[str, str] | Path | str,
    skipped: Skipped,
) -> list[Sample]:
    """Return the pictures of a split that LabelMe or COCO files label.

    Args:
        root, category, split, classes: as for `read_category`.
        skipped: told of the pictures that are left out.

    Raises:
        InputError: no pictures, a label of another kind or without a picture, or a defect in the
            training split.
    """
    folder = root / category
    _refuse_masks(root, category)
    place = place_of(root, category, split)
    own = Path(classes) if not isinstance(classes, Mapping) else None
    paths = pictures(place, skipped)
    found = dict(label_files(root, category, split))
    if own is not None:
        found = {path: kind for path, kind in found.items() if path.resolve() != own.resolve()}
    for path, kind in found.items():
        if kind not in (LABELME, COCO):
            raise InputError(f"{path}: is a {kind} file, expected LabelMe or COCO")
    listed = [
        path for path, kind in found.items() if kind == COCO and not _is_of_another(path, split)
    ]
    if own is not None and own.suffix.lower() == ".json" and is_coco(json_of(own)):
        known, listed = coco_classes(own), [own, *listed]
    else:
        known = class_map(classes)
    shapes = {path for path, kind in found.items() if kind == LABELME}
    if listed and shapes:
        raise InputError(f"{min(shapes)}: LabelMe file beside a COCO file, {listed[0]}")
    names = {
        path: f"{split}/{path.relative_to(place).with_suffix('').as_posix()}" for path in paths
    }
    if listed:
        samples = _coco_samples(names, listed, (place, folder, root), known)
    else:
        samples = _labelme_samples(names, shapes, place, known)
    for sample in samples:
        if split == "train" and not sample.is_good:
            raise InputError(
                f"{sample.mask}: marks a defect on {sample.image.name}, but training images must "
                "be nominal"
            )
    return samples


def refuse_labels(root: Path, category: str, split: str) -> None:
    """Refuse label files where nobody has said what their labels stand for.

    Raises:
        InputError: names the first one.
    """
    for path, kind in label_files(root, category, split):
        if kind not in (LABELME, COCO):
            raise InputError(f"{path}: is a {kind} file, expected masks, LabelMe or COCO")
        raise InputError(
            f"{path}: a {kind} file needs a class map (--classes) that says which labels are a "
            "defect, an impurity or to be ignored"
        )


def _is_of_another(path: Path, split: str) -> bool:
    """Tell whether a COCO file's name says that it is about another split."""
    words = set(re.split(r"[^a-z]+", path.name.lower()))
    named = {other for other, aliases in _WORDS.items() if words & aliases}
    return bool(named) and split not in named


def _refuse_masks(root: Path, category: str) -> None:
    for folder in (root / category, root / "validation" / category):
        truth = folder / "ground_truth"
        masks = list_images(truth, deep=True) if truth.is_dir() else []
        if masks:
            raise InputError(
                f"{masks[0]}: mask is left over, since a class map (--classes) was given: truth is "
                "then read from LabelMe or COCO files"
            )


def _labelme_samples(
    names: dict[Path, str], shapes: set[Path], place: Path, classes: tuple[AnnotationClass, ...]
) -> list[Sample]:
    by_picture = {spelled(str(path.with_suffix(""))): path for path in shapes}
    used: dict[Path, Path | None] = {}
    for picture in names:
        beside = picture.with_suffix(".json")
        paired = by_picture.pop(spelled(str(picture.with_suffix(""))), None)
        used[picture] = beside if beside.is_file() else paired
    if by_picture:
        left = min(by_picture.values())
        hint = f"; expected {Path(left.stem).stem}.json" if "." in left.stem else ""
        raise InputError(f"{left}: LabelMe file without an image of its name beside it{hint}")
    if not shapes and any(folder.name != GOOD for folder in folders(place)):
        raise InputError(
            f"{place}: has folders as if named by class, but no LabelMe or COCO file for "
            "--classes to explain"
        )
    return [labelme_sample(path, used[path], name, classes) for path, name in names.items()]


def _coco_samples(
    names: dict[Path, str],
    listed: list[Path],
    bases: tuple[Path, ...],
    classes: tuple[AnnotationClass, ...],
) -> list[Sample]:
    by_path = {path.resolve(): path for path in names}
    by_spelling = {spelled(str(path)): picture for path, picture in by_path.items()}
    by_name: dict[str, list[Path]] = {}
    for picture in names:
        by_name.setdefault(spelled(picture.name), []).append(picture)
    entries: dict[Path, tuple[Path, str]] = {}
    for path in listed:
        places = (path.parent, *bases, path.parent.parent / "images", path.parent.parent)
        content = read_coco(path)
        for entry in content.images:
            match = _picture_of(entry, places, by_spelling, by_name)
            if match is None:
                _check_elsewhere(path, entry, places, content)
            elif match in entries:
                raise InputError(f"{path}: {entry} is listed by {entries[match][0]} too")
            else:
                entries[match] = path, entry
    for picture in names:
        if picture not in entries:
            raise InputError(f"{picture}: is not listed in {listed[0]}, so its labels are unknown")
    return [coco_sample(path, *entries[path], name, classes) for path, name in names.items()]


def _picture_of(
    entry: str,
    places: tuple[Path, ...],
    by_spelling: dict[str, Path],
    by_name: dict[str, list[Path]],
) -> Path | None:
    """Return the picture that an entry is about, by its path, else by a name that is its alone."""
    name = entry.replace("\\", "/")
    for place in places:
        picture = by_spelling.get(spelled(str((place / name).resolve())))
        if picture is not None:
            return picture
    if any((place / name).is_file() for place in places):
        return None
    alike = by_name.get(spelled(name.rpartition("/")[2]), [])
    return alike[0] if len(alike) == 1 else None


def _check_elsewhere(path: Path, entry: str, places: tuple[Path, ...], content: CocoFile) -> None:
    """Refuse labels of a picture that is nowhere; those of another split's are none of ours."""
    is_there = any((place / entry.replace("\\", "/")).is_file() for place in places)
    if content.images[entry].annotations and not is_there:
        raise InputError(f"{path}: has labels of {entry}, which is nowhere in {places[1]}")
