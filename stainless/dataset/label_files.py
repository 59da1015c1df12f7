"""Which files label the pictures of a split, wherever they lie, and of what kind each is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stainless.dataset.coco import is_coco
from stainless.dataset.listing import files_below, folders, is_hidden, is_image, list_images
from stainless.dataset.text import read_text

LABELME, COCO = "LabelMe", "COCO"

#: What the other files are that label pictures; they are not read.
_OTHER_JSON = {("_via_img_metadata",): "VIA", ("objects", "size"): "Supervisely"}

_YOLO = re.compile(r"(?:\s*\d+(?:\s+-?[\d.]+(?:e-?\d+)?){4,}\s*\n)+")

#: What a JSON file with labels has near its beginning; others are not parsed far from the pictures.
_LABELLING = re.compile(
    rb'"(shapes|imagePath|images|annotations|categories|_via_img_metadata|objects)"'
)

#: Folders of a category that hold its splits.
SPLIT_FOLDERS = ("train", "test", "validation")


def label_files(root: Path, category: str, split: str) -> Iterator[tuple[Path, str]]:
    """Yield the files that label pictures of a split, with their kind.

    They are those in its tree and in the category's other folders, except its other splits, and
    those beside the categories that are about a picture of this split.
    """
    folder, place = root / category, place_of(root, category, split)
    trees = [place] if place.is_dir() else []
    if place != folder:
        trees += [
            path for path in folders(folder) if path.name not in (*SPLIT_FOLDERS, "ground_truth")
        ]
    files = [path for tree in trees for path in files_below(tree)]
    if place != folder:
        files += _files_in(folder)
    stems: set[str] = set()
    for path in files:
        if path.suffix.lower() == ".txt" and not stems:
            stems = {path.stem for path in list_images(place, deep=True)}
        kind = _kind(path, stems)
        if kind is not None:
            yield path, kind
    if folder.resolve() != root.resolve() and not (folder / "ground_truth").is_dir():
        yield from _beside(root, folder, place)


def place_of(root: Path, category: str, split: str) -> Path:
    """Return the folder of a split whose labels are shapes."""
    folder = root / category
    place = folder / split
    if place.is_dir():
        return place
    if split == "validation":
        return root / "validation" / category
    bare = not any((folder / other).is_dir() for other in SPLIT_FOLDERS)
    return folder if bare else place


def _is_category(folder: Path) -> bool:
    """Tell whether a folder is split up, or has pictures right in it."""
    if any((folder / split).is_dir() for split in SPLIT_FOLDERS):
        return True
    return any(map(is_image, _files_in(folder)))


def _files_in(folder: Path) -> list[Path]:
    # Beside a category may lie what is none of ours to read.
    try:
        return [path for path in folder.iterdir() if path.is_file() and not is_hidden(path.name)]
    except PermissionError:
        return []


def _folders_in(folder: Path) -> list[Path]:
    try:
        return folders(folder)
    except PermissionError:
        return []


def _beside(root: Path, folder: Path, place: Path) -> Iterator[tuple[Path, str]]:
    """Yield label files in a dataset's root and its folders without pictures, about this split."""
    files = _files_in(root)
    for other in folders(root):
        if other != folder and other.name != "validation" and not _is_category(other):
            files += [path for place in (other, *_folders_in(other)) for path in _files_in(place)]
    files = [path for path in files if path.suffix.lower() in (".json", ".xml", ".txt")]
    if not files or not place.is_dir():
        return
    names = {path.name for path in list_images(place, deep=True)}
    stems = {Path(name).stem for name in names}
    for path in sorted(files):
        if path.suffix.lower() == ".json" and not _may_label(path):
            continue
        kind = _kind(path, stems)
        if kind == COCO:
            listed = (entry for entry in json_of(path)["images"] if isinstance(entry, dict))
            about = {re.split(r"[/\\]", str(entry.get("file_name")))[-1] for entry in listed}
            if about & names:
                yield path, kind
        elif kind is not None and {path.stem, Path(path.stem).stem} & stems:
            yield path, kind


def _may_label(path: Path) -> bool:
    with path.open("rb") as file:
        return _LABELLING.search(file.read(1 << 16)) is not None


def _kind(path: Path, stems: set[str]) -> str | None:
    """Return what a file's labels are, if it has any; `stems` are the names of pictures."""
    ending = path.suffix.lower()
    if ending == ".json":
        return _kind_of_json(path)
    if ending == ".xml":
        return _kind_of_xml(path)
    if ending == ".txt" and path.stem in stems:
        return "YOLO" if _YOLO.fullmatch(read_text(path).rstrip() + "\n") else None
    return None


def _kind_of_json(path: Path) -> str | None:
    content = json_of(path)
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


def json_of(path: Path) -> Any:
    """Return the content of a JSON file; None where it is none."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
