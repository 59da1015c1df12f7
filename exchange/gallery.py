"""Write pages to browse a dataset with, in any browser and without a server.

OUT/index.html shows every picture, its labels over it and its parameters. Full-size pictures are
those of the dataset, which must stay where it is. The same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np

from exchange.dataset import (
    class_table,
    instances,
    is_masked,
    read_split,
    refuse_inside,
    refuse_other_level,
    way_to,
)
from exchange.lights import read_lights
from exchange.metadata import grouped, read_metadata
from exchange.overlay import colours, shaded, tinted_png
from stainless.dataset import (
    SPLITS,
    AnnotationClass,
    Sample,
    common_depth,
    frame_of,
    has_split,
    list_categories,
)
from stainless.dataset_options import add_reading
from stainless.errors import InputError
from stainless.files import escaped, remove_partials, write_text
from stainless.json_text import parse
from stainless.own_files import OwnFiles

#: Longer side of a thumbnail, twice what a tile is wide on most screens.
THUMB_PX = 480
QUALITY = 85

PAGE = ("gallery.css", "state.js", "grid.js", "viewer.js", "index.html")

#: What is done, a line a picture; its first line says that a folder is a gallery of ours.
PROGRESS = "progress.jsonl"
HEAD = '{"gallery": '
PICTURES = "pictures"

#: What the pages show.
DATA = "data.js"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--data", type=Path, required=True, help="root folder of the dataset")
    parser.add_argument("--category", nargs="+", help="folders in it (default: all)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    add_reading(parser)


def run(args: argparse.Namespace) -> int:
    """Write the pages and say where they are."""
    from tqdm import tqdm

    refuse_other_level(args.data)
    refuse_inside(args.out, args.data)
    own = OwnFiles(args.out, "gallery")
    samples = _samples(args)
    for category in dict.fromkeys(category for category, _ in samples):
        # For its warnings.
        common_depth([s for key, members in samples.items() if key[0] == category for s in members])
    root = way_to(args.data, args.out)
    _refuse_foreign(args.out, root)
    own.require([DATA, *PAGE])
    table = class_table(args.data, {key[0] for key in samples}, _flat(samples))
    shades = colours(table.values())
    classes = [asdict(entry) | {"colour": shades[entry.index]} for entry in table.values()]
    head = {
        "gallery": 1,
        "thumb": THUMB_PX,
        "root": way_to(args.data, args.out),
        "classes": classes,
    }
    for key in ("mask_frame", "white_level"):
        if getattr(args, key) is not None:
            head[key] = getattr(args, key)
    progress = Progress(own, head)
    remove_partials(args.out)

    total = sum(map(len, samples.values()))
    with tqdm(total=total, unit="image", disable=None, leave=False) as bar:
        for (category, _), members in samples.items():
            for sample in members:
                name, stamp = f"{category}/{sample.name}", _stamp(sample)
                if not progress.holds(name, stamp):
                    progress.add(name, stamp, _write_pictures(sample, name, own, table))
                bar.update()

    described = _describe(args.data, args.out, samples, progress) | {"classes": classes}
    data = json.dumps(described, ensure_ascii=False, separators=(",", ":"))
    own.write_text(DATA, f"const DATA = {data};\n")
    for page in PAGE:
        own.write_bytes(page, (Path(__file__).parent / "page" / page).read_bytes())
    progress.finish()
    print(f"{args.out / 'index.html'}: {total} images")
    return 0


class Progress:
    """Which pictures are done, so that a killed run costs one of them.

    Attributes:
        records: what is known of each finished picture, by name.
    """

    def __init__(self, own: OwnFiles, head: dict[str, Any]) -> None:
        """Take over what an earlier run with the same head has done.

        The page of a gallery with other classes, whose pictures go, goes first.
        """
        self.own = own
        self.out = out = own.folder
        self.head = json.dumps(head)
        self.records: dict[str, dict[str, Any]] = {}
        self._stamps: dict[str, Any] = {}
        self._live: set[str] = set()
        path = out / PROGRESS
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if not lines or lines[0] != self.head:
            lines = []
            own.remove("index.html")
        for line in lines[1:]:
            try:
                name, stamp, record = parse(line)
                _files(name, record)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            self._stamps[name], self.records[name] = stamp, record
        self._rewrite(self.records)

    def holds(self, name: str, stamp: list[int]) -> bool:
        """Tell whether a picture is done and has not changed since."""
        self._live.add(name)
        if self._stamps.get(name) != stamp:
            return False
        return all((self.out / file).is_file() for file in _files(name, self.records[name]))

    def add(self, name: str, stamp: list[int], record: dict[str, Any]) -> None:
        """Note that a picture is done."""
        self._stamps[name], self.records[name] = stamp, record
        with (self.out / PROGRESS).open("a", encoding="utf-8") as file:
            file.write(json.dumps([name, stamp, record]) + "\n")

    def finish(self) -> None:
        """Forget pictures that the dataset has no more, and remove what was made of them."""
        self._rewrite(self._live)
        kept = [file for name in self._live for file in _files(name, self.records[name])]
        self.own.clear([DATA, *PAGE, *kept])

    def _rewrite(self, names: Any) -> None:
        lines = [json.dumps([name, self._stamps[name], self.records[name]]) for name in names]
        write_text(self.out / PROGRESS, "\n".join([self.head, *lines]) + "\n")


def _refuse_foreign(out: Path, root: str) -> None:
    """Refuse a folder that is no gallery, or one of another dataset.

    Raises:
        InputError: it is.
    """
    if not out.exists() or not any(out.iterdir()):
        return
    path = out / PROGRESS
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    try:
        other = parse(text.partition("\n")[0])["root"] if text.startswith(HEAD) else None
    except (ValueError, KeyError, TypeError):
        other = None
    if other is None:
        raise InputError(f"{out}: holds something else, expected a new folder or a gallery")
    if other != root:
        raise InputError(
            f"{out}: holds the gallery of {other}, expected a new folder or the gallery of {root}"
        )


def _samples(args: argparse.Namespace) -> dict[tuple[str, str], list[Sample]]:
    """Return the samples of every split of the chosen categories."""
    root, chosen = args.data, args.category
    there = list_categories(root)
    for category in chosen or ():
        if category not in there:
            names = ", ".join(there) or "none"
            raise InputError(f"{root}: has no category {category!r}; there are: {names}")
    categories = list(chosen or there)
    plain = argparse.Namespace(**{**vars(args), "classes": None})
    masked: list[str] = []
    if args.classes is not None:
        masked = [category for category in categories if is_masked(root, category, args.classes)]
    if len(masked) == len(categories):
        # A class map for nothing is no slip to pass over.
        masked = []
    readings = {category: plain if category in masked else args for category in categories}
    found = {
        (category, split): read_split(reading, category, split)
        for category, reading in readings.items()
        for split in SPLITS
        if has_split(root, category, split, reading.classes is not None)
    }
    if not found:
        raise InputError(f"{root}: has no category, expected folders with train/, test/ or images")
    return found


def _flat(samples: dict[tuple[str, str], list[Sample]]) -> Iterator[Sample]:
    for members in samples.values():
        yield from members


def _stamp(sample: Sample) -> list[int]:
    """Return what changes when a picture or its labels do."""
    paths = [sample.image, sample.mask, sample.annotation]
    if sample.annotation is not None:
        stem = sample.annotation.name.removesuffix("_class.png")
        paths.append(sample.annotation.with_name(f"{stem}_instance.png"))
    stamp = []
    for path in paths:
        if path is not None and path.exists():
            status = path.stat()
            stamp += [status.st_mtime_ns, status.st_size]
    return stamp


def _write_pictures(
    sample: Sample, name: str, own: OwnFiles, table: dict[str, AnnotationClass]
) -> dict[str, Any]:
    """Write a picture's thumbnail and overlays; returns what the pages need to know of it."""
    pixels = sample.load()
    height, width = pixels.shape[:2]
    scale = min(1.0, THUMB_PX / max(height, width))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    shades = colours(table.values())
    masks: dict[int, np.ndarray] = {}
    labels: dict[int, list[Any]] = {}
    # Of a defect that is known by picture only, the page has the class.
    for instance in instances(sample, table) if sample.truth == "pixel" else ():
        index = instance.of.index
        mask = masks.setdefault(index, np.zeros((width, height), np.uint8))
        mask.ravel()[instance.pixels] = 255
        label = labels.setdefault(index, [index, 0, 0.0])
        label[1] += instance.number > 0
        label[2] += len(instance.pixels) / (height * width)
    record: dict[str, Any] = {"size": [width, height], "labels": sorted(labels.values())}
    if _needs_copy(sample.image):
        record["copy"] = True
        upright = cv2.imencode(".png", pixels[..., ::-1])[1]
        own.write_bytes(f"{PICTURES}/{name}.full.png", upright.tobytes())
    files = _files(name, record)
    thumb = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)[..., ::-1]
    quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    own.write_bytes(files[0], cv2.imencode(".jpg", thumb, quality)[1].tobytes())
    for index, mask in masks.items():
        # Whatever touches a pixel of the thumbnail shows on it: a scratch may be thinner.
        reduced = cv2.resize(mask.T, small, interpolation=cv2.INTER_AREA) > 0
        for kind, cover in (
            ("small", shaded(reduced, 1)),
            ("full", shaded(mask.T > 0, max(1, round(max(height, width) / 1000)))),
        ):
            path = f"{PICTURES}/{name}.{index}.{kind}.png"
            own.write_bytes(path, tinted_png(cover, shades[index]))
    return record


def _needs_copy(path: Path) -> bool:
    """Tell whether a browser may show a picture turned otherwise than its overlays.

    All heed the orientation tag of a JPEG, but not all that of other formats.
    """
    return path.suffix.lower() not in (".jpg", ".jpeg") and frame_of(path).orientation != 1


def _files(name: str, record: dict[str, Any]) -> list[str]:
    """Return the files made of a picture: its thumbnail, then its overlays."""
    overlays = [
        f"{PICTURES}/{name}.{index}.{kind}.png"
        for index, *_ in record["labels"]
        for kind in ("small", "full")
    ]
    copies = [f"{PICTURES}/{name}.full.png"] if record.get("copy") else []
    return [f"{PICTURES}/{name}.jpg", *overlays, *copies]


def _describe(
    root: Path, out: Path, samples: dict[tuple[str, str], list[Sample]], progress: Progress
) -> dict[str, Any]:
    """Return what the pages show; metadata are tables, since most pictures have the same."""
    paths = {
        f"{category}/{sample.name}": sample.image.relative_to(root).as_posix()
        for (category, _), members in samples.items()
        for sample in members
    }
    metadata = read_metadata(root / "manifest.jsonl", paths.values())
    # A note is about the dataset, not about one picture of it.
    notes = dict.fromkeys(entry["Note"] for entry in metadata.values() if "Note" in entry)
    shown = grouped(label for entry in metadata.values() for label in entry)
    labels = [label for label in shown if label != "Note"]
    lights = read_lights(root, {category for category, _ in samples})
    pictures = []
    for (category, split), members in samples.items():
        for sample in members:
            name = f"{category}/{sample.name}"
            known = metadata.get(paths[name])
            pictures.append(
                {
                    # An address holds no bytes that are no text.
                    "name": escaped(name),
                    "category": category,
                    "split": split,
                    "kind": sample.label,
                    "light": lights.get(category) if known else None,
                    "file": quote(os.fsencode(paths[name])),
                    "url": quote(os.fsencode(f"{PICTURES}/{name}")),
                    "metadata": [_rounded(known.get(label)) for label in labels] if known else [],
                    **progress.records[name],
                }
            )
    return {
        "title": root.resolve().name,
        "root": quote(os.fsencode(way_to(root, out))),
        "notes": list(notes),
        "metadata": labels,
        "pictures": pictures,
    }


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value
