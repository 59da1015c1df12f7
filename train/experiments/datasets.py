"""The datasets of an experiment: rendered where they are missing, then read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stainless.dataset import (
    Sample,
    has_validation,
    read_category,
    require_saturation,
    split_validation,
)
from stainless.errors import InputError
from stainless.files import shipped
from train.experiments.experiment import Dataset
from train.experiments.stages import Stages
from train.generator import generate, state
from train.verdicts.choice import usual_rules
from train.verdicts.rule import PIXEL


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
        elif not is_finished(dataset, dataset.scene):
            with stages(f"render {dataset.key}"):
                scene = shipped(Path(dataset.scene))
                generate(scene, dataset.root, *_options(dataset), "--workers", str(workers))


def is_finished(dataset: Dataset, scene: str) -> bool:
    """Tell whether all samples of a dataset are rendered.

    Args:
        dataset: what is wanted.
        scene: renders it.

    Raises:
        InputError: what is there was rendered from another scene; names the first key that differs.
        SystemExit: the generator refuses scene or dataset, in its own line.
    """
    if not dataset.root.is_dir():
        return False
    found = state(shipped(Path(scene)), dataset.root, *_options(dataset))
    if found["differs"] is not None:
        raise InputError(
            f"{dataset.key}.scene: {scene}, but {dataset.root} was rendered from another "
            f"({found['differs']}); expected the same, or another {dataset.key}.data"
        )
    return bool(found["complete"])


def _options(dataset: Dataset) -> list[str]:
    """Return what the generator is told beside the scene and the place."""
    options = ["--scale", str(dataset.scale)]
    return options if dataset.samples is None else [*options, "--samples", str(dataset.samples)]


@dataclass(frozen=True)
class LabelledSplits:
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
) -> LabelledSplits:
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
        InputError: no validation split, or one that no threshold of pixels can be found by; a test
            split without defects or with a defect without mask; and whatever `read_category`
            refuses.
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
    if PIXEL not in usual_rules(validation):
        raise InputError(
            f"{root / category}: its validation split has neither masks nor good images, expected "
            "either, to find a threshold of pixels by"
        )
    if all(sample.is_good for sample in test):
        raise InputError(
            f"{root / category}: its test split shows no defect, expected defective images with "
            "masks"
        )
    for sample in test:
        if not sample.is_good and sample.mask is None:
            raise InputError(f"{sample.image}: has no mask, expected one of every defect")
    require_saturation(test)
    return LabelledSplits(validation, test, note)
