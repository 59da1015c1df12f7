"""Files that label pictures: which there are, to which picture each belongs, and none left over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stainless.dataset.class_map import class_map
from stainless.dataset.coco import CocoFile, coco_classes, coco_sample, is_coco, read_coco
from stainless.dataset.folders import pictures
from stainless.dataset.labelme import labelme_sample
from stainless.dataset.listing import Skipped, files_below, folders, is_hidden, list_images
from stainless.dataset.sample import GOOD, AnnotationClass, Sample
from stainless.dataset.text import read_text, spelled
from stainless.errors import InputError

LABELME, COCO = "LabelMe", "COCO"

#: What the other files are that label pictures; they are not read.
_OTHER_JSON = {("_via_img_metadata",): "VIA", ("objects", "size"): "Supervisely"}

_YOLO = re.compile(r"(?:\s*\d+(?:\s+-?[\d.]+(?:e-?\d+)?){4,}\s*\n)+")

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
    place = _place(root, category, split)
    own = Path(classes) if not isinstance(classes, Mapping) else None
    paths = pictures(place, skipped)
    found = {path: kind for path, kind in _label_files(root, category, split) if path != own}
    for path, kind in found.items():
        if kind not in (LABELME, COCO):
            raise InputError(f"{path}: is a {kind} file, expected LabelMe or COCO")
    listed = [
        path for path, kind in found.items() if kind == COCO and not _is_of_another(path, split)
    ]
    if own is not None and own.suffix.lower() == ".json" and is_coco(_json(own)):
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
    for path, kind in _label_files(root, category, split):
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


def _place(root: Path, category: str, split: str) -> Path:
    """Return the folder of a split whose labels are shapes."""
    folder = root / category
    place = folder / split
    if place.is_dir():
        return place
    if split == "validation":
        return root / "validation" / category
    bare = not any((folder / other).is_dir() for other in _WORDS)
    return folder if bare else place


def _refuse_masks(root: Path, category: str) -> None:
    for folder in (root / category, root / "validation" / category):
        truth = folder / "ground_truth"
        masks = list_images(truth, deep=True) if truth.is_dir() else []
        if masks:
            raise InputError(
                f"{masks[0]}: mask is left over, since a class map (--classes) was given: truth is "
                "then read from LabelMe or COCO files"
            )


def _label_files(root: Path, category: str, split: str) -> Iterator[tuple[Path, str]]:
    """Yield the files that label pictures of a split, with their kind; in no other split's tree."""
    folder, place = root / category, _place(root, category, split)
    trees = [place] if place.is_dir() else []
    if place != folder:
        trees += [path for path in folders(folder) if path.name not in (*_WORDS, "ground_truth")]
    stems: set[str] = set()
    files = [path for tree in trees for path in files_below(tree)]
    if place != folder:
        files += [path for path in folder.iterdir() if path.is_file() and not is_hidden(path.name)]
    for path in files:
        if path.suffix.lower() in (".json", ".xml"):
            kind = _kind_of_json(path) if path.suffix.lower() == ".json" else _kind_of_xml(path)
        elif path.suffix.lower() == ".txt":
            stems = stems or {path.stem for path in list_images(place, deep=True)}
            is_yolo = path.stem in stems and _YOLO.fullmatch(read_text(path).rstrip() + "\n")
            kind = "YOLO" if is_yolo else None
        else:
            continue
        if kind is not None:
            yield path, kind


def _kind_of_json(path: Path) -> str | None:
    content = _json(path)
    if is_coco(content):
        return COCO
    if isinstance(content, list) and content and isinstance(content[0], dict):
        is_studio = {"data", "annotations"} <= set(content[0])
        return "Label Studio" if is_studio else None
    if not isinstance(content, dict):
        # What LabelMe wrote may be damaged: its reader then says so.
        beside = content is None and any(
            path.with_suffix(ending).is_file() for ending in (".png", ".jpg", ".jpeg", ".tif")
        )
        return LABELME if beside else None
    if isinstance(content.get("shapes"), list):
        return LABELME
    return next((kind for keys, kind in _OTHER_JSON.items() if set(keys) <= set(content)), None)


def _kind_of_xml(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(1000)
    if b"<annotations>" in head:
        return "CVAT"
    return "Pascal VOC" if b"<annotation" in head else None


def _json(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError):
        return None


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
