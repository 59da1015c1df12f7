"""The manifest: one JSON line a finished sample, and what a dataset's folder already holds."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from tqdm import tqdm

from render import layout
from render.export import read_png
from render.labels import area_table, class_table, defects_config, light_table
from render.scene import Scene, read_scene
from stainless import config
from stainless.dataset.layouts import ANNOTATIONS, AREAS, LABELLED, LIGHTS, VALIDATION
from stainless.errors import InputError
from stainless.files import (
    is_below,
    naming,
    pixel_hash,
    remove_partials,
    sync_folder,
    write_json,
    write_text,
)
from stainless.json_text import parse
from stainless.own_files import OwnFiles

SPLITS = ("train", "validation", "test", LABELLED)

#: Names of files that this program writes below a category or its annotations.
OWN_FILE = re.compile(r"\d{3,}(_\d{2,})?(_class|_instance|_mask|_area)?\.png")


class Manifest:
    """The finished samples of one dataset.

    Attributes:
        entries: by index of the sample.
    """

    def __init__(self, output: Path) -> None:
        """Read what is there; a last line cut short by a kill does not count."""
        self.output = output
        self.path = output / layout.MANIFEST
        self.entries: dict[int, dict[str, Any]] = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    entry = _checked(parse(line))
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue
                self.entries[entry["sample"]] = entry

    def add(self, entry: dict[str, Any]) -> None:
        """Commit a sample: after this line is on disk, the sample is done."""
        self.entries[entry["sample"]] = entry
        with naming(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.output)

    def rewrite(self) -> None:
        """Write all entries anew, in order and without cut lines."""
        lines = [json.dumps(self.entries[index]) + "\n" for index in sorted(self.entries)]
        write_text(self.path, "".join(lines))

    def verify(self, indices: Iterable[int]) -> set[int]:
        """Return those of the samples whose every file still has the pixels it was written with."""
        present = [index for index in indices if index in self.entries]
        if not present:
            return set()
        return {
            index
            for index in tqdm(present, desc="verify", unit="sample")
            if all(
                self._holds(name, digest) for name, digest in self.entries[index]["files"].items()
            )
        }

    def _holds(self, name: str, digest: str) -> bool:
        pixels = read_png(self.output / name)
        return pixels is not None and pixel_hash(pixels) == digest

    def write_groups(self, scene: Scene) -> None:
        """Write which part each picture of a series shows, for splits that keep parts together."""
        if scene.series is None:
            return
        for category in layout.categories(scene):
            trees = {layout.layout_of(scene).tree(category, split) for split in SPLITS}
            rows = [
                f"{os.path.relpath(name, category)},{entry['parameters']['side']['part']}"
                for _, entry in sorted(self.entries.items())
                for name in entry["files"]
                if any(Path(name).is_relative_to(tree) for tree in trees)
                and "ground_truth" not in Path(name).parts
            ]
            text = "\n".join(["image,part_group", *rows]) + "\n"
            write_text(self.output / category / layout.GROUPS, text)

    def files(self) -> set[str]:
        """Return the names of all files of finished samples."""
        return {name for entry in self.entries.values() for name in entry["files"]}


def _checked(entry: Any) -> dict[str, Any]:
    """Return an entry that has what is asked of one, and names no file outside the dataset.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it has not.
    """
    files, parameters = entry["files"].items(), entry.get("parameters", {})
    is_sane = all(is_below(name) and isinstance(digest, str) for name, digest in files)
    is_sane &= type(entry["sample"]) is int and isinstance(entry.get("renderer", {}), dict)
    # Outside of a series a sample is no side of a part.
    side = parameters.get("side")
    if not is_sane or (side is not None and "part" not in side):
        raise ValueError("is no entry of a manifest")
    return dict(entry)


def check(scene: Scene, output: Path, renderer: dict[str, Any]) -> Manifest:
    """Check a dataset's folder and change nothing.

    Args:
        scene: what is to be rendered.
        output: the dataset's folder, perhaps not there yet.
        renderer: what `renderer_identity` says.

    Raises:
        InputError: the folder holds something else, another scene, seed or renderer.
    """
    check_owner(scene, output)
    manifest = Manifest(output)
    for index, entry in manifest.entries.items():
        old = entry.get("renderer", {})
        changed = [key for key in renderer if old.get(key) != renderer[key]]
        if changed:
            key = changed[0]
            raise InputError(
                f"{manifest.path}: sample {index} was rendered with {key} {old.get(key)}, now it "
                f"is {renderer[key]}: expected the same, or another --output"
            )
    _check_strays(scene, manifest, output)
    return manifest


def prepare(scene: Scene, output: Path, renderer: dict[str, Any]) -> tuple[Manifest, list[int]]:
    """Make a dataset's folder ready to go on, whatever a killed run left there.

    Returns:
        The manifest, and the samples that are missing or whose files are not as written.

    Raises:
        InputError: as `check`.
    """
    manifest = check(scene, output, renderer)
    remove_partials(output)
    _remove_unfinished(scene, manifest, output)
    done = manifest.verify(range(scene.samples))
    missing = [index for index in range(scene.samples) if index not in done]
    for index in missing:
        manifest.entries.pop(index, None)
    total = max([scene.samples, *(index + 1 for index in manifest.entries)])
    described = dataclasses.asdict(dataclasses.replace(scene, samples=total))
    write_text(output / layout.SCENE, yaml.safe_dump(config.plain(described), sort_keys=False))
    write_json(output / layout.CLASSES, class_table(scene))
    for name, table in ((AREAS, area_table(scene)), (LIGHTS, light_table(scene))):
        if any(table.values()):
            write_json(output / name, table)
    config_file = layout.layout_of(scene).config
    if config_file is not None:
        trees = {
            layout.layout_of(scene).tree(category, split)
            for category in layout.categories(scene)
            for split in (SPLITS if layout.is_labelled(scene) else SPLITS[:3])
        }
        for tree in sorted(trees):
            write_json(output / tree / config_file, defects_config(scene))
    manifest.rewrite()
    return manifest, missing


def check_owner(scene: Scene, output: Path) -> None:
    """Refuse a folder that is another dataset's, or none.

    Raises:
        InputError: the folder holds something else, another scene or another seed.
    """
    if not output.exists():
        return
    if not output.is_dir():
        raise InputError(f"{output}: is a file, expected a folder")
    known = {layout.MANIFEST, layout.SCENE, layout.PLAN, layout.PREVIEW, layout.CONTACT_SHEET}
    held = {path.name for path in output.iterdir() if not path.name.startswith(".")}
    own = output / layout.SCENE
    if not own.exists():
        if held - {layout.PLAN, layout.PREVIEW}:
            raise InputError(
                f"{output}: holds {min(held)} but no {layout.SCENE}, expected an empty folder or "
                "one that this program wrote"
            )
        return
    differs = difference(scene, own)
    if differs is not None:
        raise InputError(
            f"{output}: holds another scene ({differs}), expected the same, or another --output"
        )
    foreign = held - known - {ANNOTATIONS, VALIDATION, *layout.categories(scene)}
    if foreign:
        raise InputError(f"{output / min(foreign)}: not of this dataset, expected no other files")


def own_files(output: Path) -> OwnFiles:
    """Return the files that are written before there is a dataset: the plan and the preview.

    In a folder with a dataset that `check_owner` has found to be one's own, they are so as well.
    """
    own = OwnFiles(output, "render")
    if (output / layout.SCENE).exists():
        own.adopt([layout.PLAN, layout.PREVIEW])
    return own


def difference(scene: Scene, own: Path) -> str | None:
    """Return the first key in which a dataset's scene differs, with both values; None if none does.

    The number of samples is none: more can be added to a dataset.

    Args:
        scene: what is to be rendered.
        own: what the dataset was rendered from, its `scene.yaml`.

    Raises:
        InputError: that file is damaged.
    """
    there = dataclasses.asdict(dataclasses.replace(read_scene(own), samples=scene.samples))
    for key, old, new in _differences(there, dataclasses.asdict(scene), ""):
        return f"{key} is {old} there and {new} here"
    return None


def is_complete(scene: Scene, output: Path) -> bool:
    """Tell whether a dataset has all samples of its scene, by its manifest alone."""
    # Which pictures show the same object is written after the last of them.
    grouped = scene.series is None or any(output.glob(f"*/{layout.GROUPS}"))
    return grouped and set(range(scene.samples)) <= Manifest(output).entries.keys()


def _differences(there: Any, here: Any, key: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the keys in which two trees differ, with both values."""
    if isinstance(there, dict) and isinstance(here, dict):
        for name in here:
            yield from _differences(there.get(name), here[name], f"{key}.{name}".lstrip("."))
    elif config.plain(there) != config.plain(here):
        yield key, config.plain(there), config.plain(here)


def _below(output: Path) -> list[str]:
    """Return all files below the dataset's sub-folders, relative to it."""
    return [
        path.relative_to(output).as_posix()
        for folder in sorted(output.iterdir())
        if folder.is_dir()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    ]


def _strays(scene: Scene, manifest: Manifest, output: Path) -> set[str]:
    """Return the files that no finished sample has written.

    Beside twins a user may keep a validation tree of their own.
    """
    beside = {layout.GROUPS, layout.layout_of(scene).config}
    return {
        name
        for name in set(_below(output)) - manifest.files() - {layout.CLASSES, AREAS, LIGHTS}
        if Path(name).name not in beside
        and (scene.series is not None or not name.startswith(VALIDATION + "/"))
    }


def _check_strays(scene: Scene, manifest: Manifest, output: Path) -> None:
    """Refuse pictures of foreign origin: readers of the layout would take them for samples."""
    if not output.exists():
        return
    for name in sorted(_strays(scene, manifest, output)):
        if not OWN_FILE.fullmatch(Path(name).name):
            raise InputError(f"{output / name}: not of this dataset, expected no other files")


def _remove_unfinished(scene: Scene, manifest: Manifest, output: Path) -> None:
    """Remove the pictures of samples that a kill left without their manifest line."""
    for name in _strays(scene, manifest, output):
        if OWN_FILE.fullmatch(Path(name).name):
            (output / name).unlink()
