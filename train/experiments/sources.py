"""The pictures of an experiment: rendered where they are missing, then read and checked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stainless.dataset import Sample, has_validation, read_category, read_classes, split_validation
from stainless.errors import InputError
from train.detectors.sequential_patchcore.fitting import Trainset
from train.experiments.scenarios import (
    CLEAN,
    CLEAN_LIGHTS,
    REAL,
    STAINED,
    STAINED_LIGHTS,
    chosen,
    with_needs,
)
from train.experiments.settings import Experiment
from train.experiments.stages import Stages

GENERATOR = Path(__file__).parents[2] / "render" / "generate.py"


@dataclass(frozen=True)
class Pictures:
    """What is learned from and judged.

    Attributes:
        trainsets: by the names in `scenarios`.
        validation: where thresholds are fitted.
        test: what is judged.
        how: how the validation split came about.
    """

    trainsets: dict[str, list[Trainset]]
    validation: list[Sample]
    test: list[Sample]
    how: str


def render(experiment: Experiment, stages: Stages, workers: int) -> None:
    """Render the datasets that are missing, and finish those that were interrupted.

    Raises:
        InputError: a dataset is missing and no scene makes it, or the generator refuses.
    """
    real, synthetic = experiment.real, experiment.synthetic
    for stage, data, scene, options in (
        ("render real", real.data, real.scene, ["--scale", str(real.scale)]),
        (
            "render synthetic",
            synthetic.data,
            synthetic.scene,
            ["--scale", str(synthetic.scale), "--samples", str(synthetic.samples)],
        ),
    ):
        root = Path(data)
        if scene is None:
            if not root.is_dir():
                key = stage.removeprefix("render ")
                raise InputError(f"{key}.data: {data}, expected a dataset: no scene renders it")
            continue
        least = synthetic.samples if data == synthetic.data else 1
        if not _finished(root, least):
            with stages(stage):
                _generate([scene, "--output", data, *options, "--workers", str(workers)])


def _finished(root: Path, samples: int) -> bool:
    """Tell whether the generator has come to its end, whose last file is the contact sheet."""
    manifest = root / "manifest.jsonl"
    if not manifest.is_file() or not (root / "contact_sheet.png").is_file():
        return False
    return len(manifest.read_text().splitlines()) >= samples


def _generate(options: Sequence[str]) -> None:
    """Run the generator in a process of its own: training never imports bpy."""
    code = subprocess.run([sys.executable, GENERATOR, "--config", *options], check=False).returncode
    if code:
        # It has said in its own line what is wrong.
        raise SystemExit(code)


def read(experiment: Experiment) -> Pictures:
    """Read what is learned from and judged.

    Raises:
        InputError: a missing category, mask or validation split, defects without which nothing can
            be judged, and whatever `read_category` refuses.
    """
    real = experiment.real
    root = Path(real.data)
    _check_stain(experiment)
    nominal = read_category(root, real.category, "train", real.classes)
    how = "brought by the dataset"
    test = read_category(root, real.category, "test", real.classes)
    if has_validation(root, real.category):
        validation = read_category(root, real.category, "validation", real.classes)
    elif real.hold_out > 0:
        split = split_validation(test, real.hold_out, experiment.seed)
        validation, test, how = split.validation, split.test, split.how
    else:
        raise InputError(
            f"{root / real.category}: has no validation split, where thresholds are fitted; "
            "--real.hold_out 0.2 draws one from the test split"
        )
    for part, samples in (("validation", validation), ("test", test)):
        if all(sample.is_good for sample in samples):
            raise InputError(
                f"{root / real.category}: its {part} part shows no defect, expected defective "
                "images with masks"
            )
    return Pictures(
        {REAL: [Trainset(real.category, nominal)], **_synthetic(experiment)}, validation, test, how
    )


def _check_stain(experiment: Experiment) -> None:
    """Refuse a stain that the synthetic pictures do not know."""
    listed = Path(experiment.synthetic.data) / "annotations" / "classes.json"
    stain = experiment.synthetic.stain
    if listed.is_file():
        names = [one.name for one in read_classes(listed).values()]
        if stain not in names:
            raise InputError(
                f"synthetic.stain: {stain}, expected a class of {listed}: {', '.join(names)}"
            )


def _synthetic(experiment: Experiment) -> dict[str, list[Trainset]]:
    """Return the synthetic trainsets that the chosen scenarios need."""
    synthetic = experiment.synthetic
    needed = {one.trainset for wave in with_needs(chosen(experiment.scenarios)) for one in wave}
    found = {}
    for key, category, lights in (
        (CLEAN, synthetic.clean, []),
        (CLEAN_LIGHTS, synthetic.clean, synthetic.lights),
        (STAINED, synthetic.stained, []),
        (STAINED_LIGHTS, synthetic.stained, synthetic.lights),
    ):
        if key in needed:
            names = [category, *(f"{category}_{ending}" for ending in lights)]
            found[key] = [
                Trainset(name, read_category(Path(synthetic.data), name, "train")) for name in names
            ]
    return found
