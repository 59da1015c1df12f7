"""The batches of a design on disk: a scene file each, and the dataset that is rendered of it."""

from __future__ import annotations

import json
import os
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from stainless.config import plain
from stainless.dataset import (
    Sample,
    has_split,
    load_annotation,
    read_category,
)
from stainless.errors import DataWarning, InputError
from stainless.files import shipped, write_json, write_text
from stainless.yaml_text import parse
from train.generator import generate, state
from train.pod.design import Trial, batch_seed
from train.pod.settings import Settings

#: Which settings say what is placed; `plates` may grow, the rest is about how it is scored.
DESIGNED = (
    "scene",
    "scale",
    "kind",
    "size",
    "limits",
    "levels",
    "shared",
    "area_mm",
    "grid",
    "room_mm",
    "batch",
    "seed",
)

#: Categories without and with the flaws, clean and with impurities, as the generator names them.
CLEAN, STAINED, FLAWED = "clean", "stained", "_flawed"

#: What a folder of renders is designed by.
DESIGN = "design.json"

HEAD = "# Written by `stainless pod`: flaws of given place and size.\n"


@dataclass(frozen=True)
class Plate:
    """The pictures of one plate.

    Attributes:
        number: of the plate within its batch.
        clean: without impurities: without and with its flaws.
        stained: with impurities, the same; None where the scene has none.
        instances: (H, W), number of the flaw at each pixel, from 1 in the order of the trials.
        impure: (H, W) bool, where the stained pictures show an impurity.
    """

    number: int
    clean: tuple[Sample, Sample]
    stained: tuple[Sample, Sample] | None
    instances: np.ndarray
    impure: np.ndarray


def check_data(settings: Settings) -> None:
    """Note what the folder of the renders is designed by, or check that it is the same.

    Raises:
        InputError: it holds what was designed otherwise, or something else.
    """
    folder = Path(settings.data)
    own = {name: plain(getattr(settings, name)) for name in DESIGNED}
    path = folder / DESIGN
    if not path.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"data: {folder} holds other files, expected an empty folder")
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, own)
        return
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{path}: damaged; remove the folder or choose another data") from None
    for name, value in own.items():
        if not isinstance(known, dict) or known.get(name) != value:
            old = known.get(name) if isinstance(known, dict) else known
            raise InputError(
                f"data: {folder} was designed with {name} {old}, now it is {value}: expected the "
                "same, or another data"
            )


def scene_file(settings: Settings, batch: int) -> Path:
    """Return the scene file of a batch."""
    return Path(settings.data) / f"batch_{batch:02d}.yaml"


def write_scene(settings: Settings, batch: int, trials: Sequence[Trial]) -> None:
    """Write the scene file of a batch."""
    path, levels = scene_file(settings, batch), settings.level_values()
    scene = {
        "extends": os.path.relpath(shipped(Path(settings.scene)).resolve(), path.parent.resolve()),
        "samples": max(trial.plate for trial in trials) + 1,
        "seed": batch_seed(settings, batch),
        "scale": settings.scale,
        "placed": [
            {
                "sample": trial.plate,
                "kind": settings.kind,
                "center_mm": list(trial.center_mm),
                "keys": {**settings.shared, **levels[trial.level], settings.size: trial.size},
            }
            for trial in trials
        ],
    }
    write_text(path, HEAD + yaml.safe_dump(scene, sort_keys=False, default_flow_style=None))


def read_scene(settings: Settings, batch: int) -> list[Trial] | None:
    """Return the trials of a batch that has been designed; None if it has not.

    Raises:
        InputError: its file is not what `write_scene` writes.
    """
    path = scene_file(settings, batch)
    if not path.is_file():
        return None
    cells = settings.grid[0] * settings.grid[1]
    levels = settings.level_values()
    try:
        placed = parse(path.read_text(encoding="utf-8"))["placed"]
        return [_trial(settings, levels, cells, number, flaw) for number, flaw in enumerate(placed)]
    except (yaml.YAMLError, ValueError, KeyError, TypeError, IndexError):
        raise InputError(f"{path}: was changed; remove it or choose another data") from None


def _trial(settings: Settings, levels: Sequence[Any], cells: int, number: int, flaw: Any) -> Trial:
    level = next(k for k, keys in enumerate(levels) if keys.items() <= flaw["keys"].items())
    x, y = flaw["center_mm"]
    size = float(flaw["keys"][settings.size])
    return Trial(int(flaw["sample"]), number % cells, (float(x), float(y)), size, level)


def render(settings: Settings, batch: int) -> Path:
    """Render what is missing of a batch; return its dataset.

    Raises:
        InputError: what is there was rendered from another scene.
        SystemExit: the generator refuses the scene, in its own line.
    """
    scene, output = scene_file(settings, batch), scene_file(settings, batch).with_suffix("")
    if output.is_dir():
        found = state(scene, output)
        if found["differs"] is not None:
            raise InputError(f"{output}: was rendered from another scene ({found['differs']})")
        if found["complete"]:
            return output
    try:
        # What it prints is about one of many datasets.
        generate(scene, output, "--workers", str(settings.workers), stdout=subprocess.DEVNULL)
    except SystemExit:
        if not output.exists():
            _forget(settings, batch)
        raise
    return output


def _forget(settings: Settings, batch: int) -> None:
    """Remove the design of a batch that cannot be rendered, to make room for another."""
    scene_file(settings, batch).unlink(missing_ok=True)
    folder = Path(settings.data)
    if batch == 0:
        (folder / DESIGN).unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def plates(root: Path) -> Iterator[Plate]:
    """Yield the plates of a rendered batch.

    Raises:
        InputError: pictures or labels that are missing or damaged.
    """
    clean, flawed = _by_number(root, CLEAN), _by_number(root, CLEAN + FLAWED)
    bare: dict[int, Sample] = {}
    both: dict[int, Sample] = {}
    if has_split(root, STAINED, "test"):
        bare, both = _by_number(root, STAINED), _by_number(root, STAINED + FLAWED)
    for number, sample in sorted(clean.items()):
        instances = load_annotation(flawed[number]).instances
        impure = np.zeros(instances.shape, bool)
        stained = None
        if number in bare:
            stained = bare[number], both[number]
            impure = load_annotation(bare[number]).classes > 0
        yield Plate(number, (sample, flawed[number]), stained, instances, impure)


def _by_number(root: Path, category: str) -> dict[int, Sample]:
    with warnings.catch_warnings():
        # That all of them have flaws is meant.
        warnings.simplefilter("ignore", DataWarning)
        samples = read_category(root, category, "test")
    return {int(sample.image.stem): sample for sample in samples}
