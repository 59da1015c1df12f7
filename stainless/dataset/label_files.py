"""Which files label the pictures of a split, wherever they lie, and of what kind each is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stainless.dataset.coco import is_coco
from stainless.dataset.folder_names import meant_split
from stainless.dataset.listing import files_below, folders, has_images, is_hidden, is_image
from stainless.dataset.mentions import TEXTS, Pictures, mentions, mentions_by_key
from stainless.dataset.text import read_text, spelled
from stainless.json_text import parse

LABELME, COCO = "LabelMe", "COCO"

#: What names pictures in a format of its own.
FOREIGN = "label"

#: What the other files are that label pictures; they are not read.
_OTHER_JSON = {("_via_img_metadata",): "VIA", ("objects", "size"): "Supervisely"}

#: A line of YOLO. Lines are matched one by one: over a whole text, what does not match takes years.
_YOLO = re.compile(r"\s*\d+(?:\.0*)?(?:\s+-?[\d.]+(?:e-?\d+)?){4,}\s*")

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
    pictures = Pictures(place)
    for path in files:
        kind = _kind(path, pictures)
        if kind is not None:
            yield path, kind
    if folder.resolve() != root.resolve() and not (folder / "ground_truth").is_dir():
        yield from _beside(root, folder, place, split, pictures)


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


def _beside(
    root: Path, folder: Path, place: Path, split: str, pictures: Pictures
) -> Iterator[tuple[Path, str]]:
    """Yield label files in a dataset's root and its folders without pictures, about this split."""
    files = _files_in(root)
    for other in folders(root):
        if other != folder and other.name != "validation" and not _is_category(other):
            files += [path for inner in (other, *_folders_in(other)) for path in _files_in(inner)]
            files += _files_of_category(other / folder.name, split)
    files = [path for path in files if path.suffix.lower() in TEXTS]
    if not files or not place.is_dir():
        return
    for path in sorted(set(files)):
        kind = _kind(path, pictures)
        if kind == COCO:
            listed = (entry for entry in json_of(path)["images"] if isinstance(entry, dict))
            about = {spelled(str(entry.get("file_name"))).rpartition("/")[2] for entry in listed}
            if about & pictures.names:
                yield path, kind
        elif kind == FOREIGN or (
            kind is not None
            and {spelled(path.stem), spelled(Path(path.stem).stem)} & pictures.stems
        ):
            yield path, kind


def _files_of_category(tree: Path, split: str) -> list[Path]:
    """Return the files in a folder of the category's name, such as labels/<category>/test/lot7/.

    Those below a folder named as another split are left out, as is a folder that has pictures.
    """
    if not tree.is_dir() or has_images(tree):
        return []
    found = []
    for path in files_below(tree):
        meant = {meant_split(name) for name in path.relative_to(tree).parts[:-1]}
        if meant <= {None, split}:
            found.append(path)
    return found


def _kind(path: Path, pictures: Pictures) -> str | None:
    """Return what a file's labels are, if it has any."""
    ending = path.suffix.lower()
    if ending not in TEXTS:
        return None
    kind = None
    if ending == ".json":
        kind = _kind_of_json(path, pictures)
    elif ending == ".xml":
        kind = _kind_of_xml(path)
    elif ending == ".txt" and spelled(path.stem) in pictures.stems:
        lines = [line for line in read_text(path).splitlines() if line.strip()]
        kind = "YOLO" if lines and all(map(_YOLO.fullmatch, lines)) else None
    return kind or (FOREIGN if mentions(path, pictures) else None)


def _kind_of_json(path: Path, pictures: Pictures) -> str | None:
    content = json_of(path)
    if is_coco(content):
        return COCO
    if isinstance(content, list) and content and isinstance(content[0], dict):
        is_studio = {"data", "annotations"} <= set(content[0])
        if is_studio:
            return "Label Studio"
    if mentions_by_key(content, pictures):
        return FOREIGN
    if not isinstance(content, dict):
        # What LabelMe wrote may be damaged: its reader then says so.
        beside = content is None and any(
            path.with_suffix(ending).is_file() for ending in (".png", ".jpg", ".jpeg", ".tif")
        )
        return LABELME if beside else None
    if "shapes" in content:
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
        return parse(text)
    except ValueError:
        return None
