"""The datasets of an experiment: rendered where they are missing, then read and checked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stainless.dataset import Sample, has_validation, read_category, split_validation
from stainless.errors import InputError
from stainless.files import shipped
from train.experiments.experiment import Dataset
from train.experiments.stages import Stages

GENERATOR = Path(__file__).parents[2] / "render" / "generate.py"

#: What the generator leaves in a dataset: its scene, and a line for each finished sample.
SCENE, MANIFEST = "scene.yaml", "manifest.jsonl"


def render(datasets: Sequence[Dataset], stages: Stages, workers: int) -> None:
    """Render the datasets that are missing, and finish those that were interrupted.

    Raises:
        InputError: a dataset is missing and no scene makes it, or what is there was rendered
            otherwise; or the generator refuses.
    """
    for dataset in datasets:
        if dataset.scene is None:
            if not dataset.root.is_dir():
                raise InputError(
                    f"{dataset.key}.data: {dataset.root}, expected a dataset: no scene renders it"
                )
        elif not is_finished(dataset):
            with stages(f"render {dataset.key}"):
                _generate(dataset, dataset.scene, workers)


def is_finished(dataset: Dataset) -> bool:
    """Tell whether all samples of a dataset are rendered, by its manifest.

    Raises:
        InputError: what is there was rendered in another scale.
    """
    scene = _scene(dataset.root / SCENE)
    if scene is None:
        return False
    scale = scene.get("scale", 1.0)
    if scale != dataset.scale:
        raise InputError(
            f"{dataset.key}.scale: {dataset.scale:g}, but {dataset.root} is rendered with "
            f"{scale:g}; expected the same, or another {dataset.key}.data"
        )
    samples = dataset.samples if dataset.samples is not None else int(scene.get("samples", 1))
    # Which pictures show one part is written after the last of them.
    grouped = scene.get("series") is None or any(dataset.root.glob("*/groups.csv"))
    return grouped and set(range(samples)) <= _samples(dataset.root / MANIFEST)


def _scene(path: Path) -> dict[str, Any] | None:
    """Return the scene that a dataset was rendered from, None if it is not there."""
    if not path.is_file():
        return None
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        tree = None
    if not isinstance(tree, dict):
        raise InputError(f"{path}: is no scene, or a damaged one; remove the dataset")
    return tree


def _samples(path: Path) -> set[int]:
    """Return the finished samples; a last line that was cut short does not count."""
    found = set()
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            found.add(int(json.loads(line)["sample"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _generate(dataset: Dataset, scene: str, workers: int) -> None:
    """Run the generator in a process of its own: training never imports bpy."""
    options = ["--config", str(shipped(Path(scene))), "--output", str(dataset.root)]
    options += ["--scale", str(dataset.scale)]
    if dataset.samples is not None:
        options += ["--samples", str(dataset.samples)]
    command = [sys.executable, str(GENERATOR), *options, "--workers", str(workers)]
    code = subprocess.run(command, check=False).returncode
    if code:
        # It has written its own line about what is wrong.
        raise SystemExit(code)


@dataclass(frozen=True)
class Labelled:
    """The labelled splits of a category.

    Attributes:
        validation: where thresholds are fitted.
        test: what the figures are of.
        note: how the validation split came about.
    """

    validation: list[Sample]
    test: list[Sample]
    note: str


def read_labelled(
    root: Path, category: str, classes: str | None, hold_out: float, seed: int, option: str
) -> Labelled:
    """Read the labelled splits of a category.

    Args:
        root: of the dataset.
        category: folder in it.
        classes: of LabelMe files, see `read_category`.
        hold_out: share of the test split that becomes the validation split of a category without
            one, whole groups at a time; 0 for a category that must bring its own.
        seed: of that draw.
        option: what sets `hold_out`, for the message.

    Raises:
        InputError: a missing validation split or mask, no defect in a split, and whatever
            `read_category` refuses.
    """
    test = read_category(root, category, "test", classes)
    note = "brought by the dataset"
    if has_validation(root, category):
        validation = read_category(root, category, "validation", classes)
    elif hold_out > 0:
        split = split_validation(test, hold_out, seed)
        validation, test, note = split.validation, split.test, split.how
    else:
        raise InputError(
            f"{root / category}: has no validation split, where thresholds are fitted; "
            f"{option} 0.2 draws one from the test split"
        )
    for name, samples in (("validation", validation), ("test", test)):
        if all(sample.is_good for sample in samples):
            raise InputError(
                f"{root / category}: its {name} split shows no defect, expected defective "
                "images with masks"
            )
        for sample in samples:
            if not sample.is_good and sample.mask is None:
                raise InputError(f"{sample.image}: has no mask, expected one of every defect")
    return Labelled(validation, test, note)
