"""Files that label pictures: which there are, to which picture each belongs, and none left over."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from stainless.dataset.class_map import class_map
from stainless.dataset.coco import CocoFile, coco_classes, coco_sample, is_coco, read_coco
from stainless.dataset.folders import pictures
from stainless.dataset.label_files import COCO, FOREIGN, LABELME, json_of, label_files, place_of
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
            raise InputError(f"{path}: {_left(kind)}, expected LabelMe or COCO")
    listed = [path for path, kind in found.items() if kind == COCO]
    if own is not None and own.suffix.lower() == ".json" and is_coco(json_of(own)):
        known, listed = coco_classes(own), [own, *listed]
    else:
        known = class_map(classes)
    shapes = {path for path, kind in found.items() if kind == LABELME}
    names = {
        path: f"{split}/{path.relative_to(place).with_suffix('').as_posix()}" for path in paths
    }
    others = {path: _other_names(path, root, category, split) for path in listed}
    entries = _coco_entries(paths, listed, (place, folder, root), others)
    # A file that is named after another split and lists none of these pictures is about that one.
    used = {path for path, _ in entries.values()}
    listed = [path for path in listed if path in used or others[path] is None]
    if listed and shapes:
        raise InputError(f"{min(shapes)}: LabelMe file beside a COCO file, {listed[0]}")
    if listed:
        samples = _coco_samples(names, listed, entries, known)
    else:
        samples = _labelme_samples(names, shapes, place, known)
    for sample in samples:
        if split == "train" and not sample.is_good:
            raise InputError(
                f"{sample.mask}: marks a defect on {sample.image.name}, but training images must "
                "be nominal"
            )
    return samples


def _left(kind: str) -> str:
    if kind != FOREIGN:
        return f"is a {kind} file"
    return "names pictures as labels do, and is not read (move it away if it labels nothing)"


def refuse_labels(root: Path, category: str, split: str) -> None:
    """Refuse label files where nobody has said what their labels stand for.

    Raises:
        InputError: names the first one.
    """
    for path, kind in label_files(root, category, split):
        if kind not in (LABELME, COCO):
            raise InputError(f"{path}: {_left(kind)}, expected masks, LabelMe or COCO")
        raise InputError(
            f"{path}: a {kind} file needs a class map (--classes) that says which labels are a "
            "defect, an impurity or to be ignored"
        )


def _other_names(path: Path, root: Path, category: str, split: str) -> frozenset[str] | None:
    """Return the names of the pictures of the other split that a COCO file is named after.

    Its name alone decides nothing: it may be about this split all the same, but not where an entry
    is as well the name of a picture of the other. None where it is named after no other split.
    """
    words = set(re.split(r"[^a-z]+", path.name.lower()))
    named = {other for other, aliases in _WORDS.items() if words & aliases}
    trees = {other: place_of(root, category, other) for other in named}
    if named == {"validation"} and not trees["validation"].is_dir():
        # Without a third split, the second is called so as well.
        named, trees = {"test"}, {"test": place_of(root, category, "test")}
    if not named or split in named:
        return None
    return frozenset(
        spelled(image.name)
        for tree in trees.values()
        if tree.is_dir() and tree != place_of(root, category, split)
        for image in list_images(tree, deep=True)
    )


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


def _coco_entries(
    pictures: list[Path],
    listed: list[Path],
    bases: tuple[Path, Path, Path],
    others: Mapping[Path, frozenset[str] | None],
) -> dict[Path, tuple[Path, str]]:
    """Return the COCO file and its entry by the picture of this split that the entry is about.

    Args:
        pictures: those of the split.
        listed: the COCO files.
        bases: the folders of the split, the category and the dataset.
        others: `_other_names` by COCO file.
    """
    by_spelling = {spelled(str(path.resolve())): path for path in pictures}
    by_name: dict[str, list[Path]] = {}
    for picture in pictures:
        by_name.setdefault(spelled(picture.name), []).append(picture)
    entries: dict[Path, tuple[Path, str]] = {}
    for path in listed:
        content = read_coco(path)
        for entry in content.images:
            match = _picture_of(path, entry, bases, by_spelling, by_name, others.get(path))
            if match is None:
                _check_elsewhere(path, entry, bases, content, others.get(path))
            elif match in entries:
                raise InputError(f"{path}: {entry} is listed by {entries[match][0]} too")
            else:
                entries[match] = path, entry
    return entries


def _coco_samples(
    names: dict[Path, str],
    listed: list[Path],
    entries: dict[Path, tuple[Path, str]],
    classes: tuple[AnnotationClass, ...],
) -> list[Sample]:
    for picture in names:
        if picture not in entries:
            raise InputError(f"{picture}: is not listed in {listed[0]}, so its labels are unknown")
    return [coco_sample(path, *entries[path], name, classes) for path, name in names.items()]


def _picture_of(
    path: Path,
    entry: str,
    bases: tuple[Path, Path, Path],
    by_spelling: dict[str, Path],
    by_name: dict[str, list[Path]],
    others: frozenset[str] | None,
) -> Path | None:
    """Return the picture that an entry is about, by its path, else by a name that is its alone."""
    name = entry.replace("\\", "/")
    if "\0" in name:
        return None
    bare = spelled(name.rpartition("/")[2])
    split, *above = bases
    # From the split's own folder, a path does not say which split it is about.
    places = (*above, path.parent, split, path.parent.parent / "images", path.parent.parent)
    for place in places:
        if others is not None and bare in others and place == split:
            return None
        picture = by_spelling.get(spelled(str((place / name).resolve())))
        if picture is not None:
            return picture
    if _is_there(name, places):
        return None
    alike = by_name.get(bare, [])
    return alike[0] if len(alike) == 1 else None


def _is_there(name: str, places: tuple[Path, ...]) -> bool:
    # Unlike a Path, this has an answer for names that no file can have.
    return any(os.path.isfile(place / name) for place in places)  # noqa: PTH113


def _check_elsewhere(
    path: Path,
    entry: str,
    bases: tuple[Path, Path, Path],
    content: CocoFile,
    others: frozenset[str] | None,
) -> None:
    """Refuse labels of a picture that is nowhere; those of another split's are none of ours."""
    name = entry.replace("\\", "/")
    places = (*bases, path.parent, path.parent.parent / "images", path.parent.parent)
    if others is not None and spelled(name.rpartition("/")[2]) in others:
        return
    if content.images[entry].annotations and not _is_there(name, places):
        raise InputError(f"{path}: has labels of {entry}, which is nowhere in {bases[1]}")
