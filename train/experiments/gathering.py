"""From the figures of all methods to `results.json`, which the report is made from."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stainless.dataset import Sample, load_annotation
from train.detectors.history import History
from train.experiments.comparison import Comparisons, Evaluated
from train.experiments.experiment import Experiment, Finished, MethodEntry, Pictures
from train.experiments.feature_store import FeatureStore, store_of
from train.experiments.fits import history, model_file, record
from train.experiments.keys import packages
from train.experiments.scoring import figures_file, predictions_folder, read_figures
from train.experiments.settings import Common
from train.experiments.stages import Stages
from train.metrics import CLASS_FIGURES, COVERAGE_THRESHOLDS, FIGURES
from train.report.results import (
    VERSION,
    ClassFigures,
    Image,
    MethodResults,
    Pass,
    Repeat,
    Spread,
)
from train.report.results import (
    write_results as write,
)

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """A row of the tables.

    Attributes:
        method: what it is.
        lineage: names of the methods that it continues, the first first, and its own.
        seeds: of its repeats.
        models: keys of their models.
        figures: keys of their figures.
    """

    method: MethodEntry
    lineage: Sequence[str]
    seeds: Sequence[int]
    models: Sequence[str]
    figures: Sequence[str]


def write_results(
    experiment: Experiment,
    settings: Common,
    pictures: Pictures,
    rows: Sequence[Row],
    features: Path | None,
    stages: Stages,
    command: str,
) -> None:
    """Gather figures, findings, times and settings and write `results.json`.

    Args:
        experiment: concludes.
        settings: its settings.
        pictures: what was learned from and evaluated on.
        rows: of the tables, all measured.
        features: folder where features are kept; None computes them.
        stages: what each took.
        command: how it was called.
    """
    out = Path(settings.out)
    models = out / "models"
    figures = {row.method.name: _figures(row, out) for row in rows}
    histories = {
        row.method.name: [
            history(model_file(models, model), row.method.detector) for model in row.models
        ]
        for row in rows
    }
    methods = [
        _described(row, figures[row.method.name], histories[row.method.name], out) for row in rows
    ]
    first = next(iter(figures.values()))[0]
    classes = {name: known["kind"] for name, known in first["classes"].items()}
    evaluated = {row.method.name: _evaluated(row, figures[row.method.name], models) for row in rows}

    def store(method: MethodEntry) -> FeatureStore:
        found = store_of(method, settings.device, features)
        if found is None:
            raise TypeError(f"{method.name}: {method.detector} scores no features")
        return found

    finished = Finished(
        pictures,
        [row.method for row in rows],
        {row.method.name: model_file(models, row.models[0]) for row in rows},
        out,
        classes,
        Comparisons(evaluated, settings.seed, settings.bootstrap_rounds),
        figures,
        {row.method.name: record(models, row.models[0]) for row in rows},
        store,
    )
    with torch.inference_mode():
        conclusion = experiment.conclude(finished)
    used = dict.fromkeys(name for row in rows for name in packages(row.method.detector))
    write(
        out,
        {
            "version": VERSION,
            "experiment": settings.experiment,
            "title": settings.title,
            "families": dict(experiment.families),
            "shown": experiment.shown(methods),
            "classes": classes,
            "class_index": _class_index(pictures.test),
            "coverage_thresholds": list(COVERAGE_THRESHOLDS),
            "images": [_image(sample, first["per_image"]) for sample in pictures.test],
            "methods": methods,
            "quantities": {
                key: {"title": quantity.title, "logarithmic": quantity.logarithmic}
                for repeats in histories.values()
                for key, quantity in repeats[0].quantities.items()
            },
            "findings": conclusion.findings,
            "own": conclusion.own,
            "stages": [
                {"name": name, "seconds": took["seconds"], "cpu_seconds": took["cpu_seconds"]}
                for name, took in stages.seconds.items()
            ],
            "peak_memory_mb": stages.peak_mb,
            "machine": machine(),
            "versions": {name: version(name) for name in ("stainless", *used)},
            "config": asdict(settings),
            "seeds": [settings.seed + number for number in range(settings.repeats)],
            "commands": [command],
        },
    )


def machine() -> str:
    """Return what computes, in a line."""
    names = []
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} processors, {names[0] if names else platform.machine()}"


def _figures(row: Row, out: Path) -> list[dict[str, Any]]:
    """Return the figures of each repeat."""
    found = []
    for seed, key in zip(row.seeds, row.figures, strict=True):
        figures = read_figures(figures_file(out, row.method.slug, seed), key)
        if figures is None:
            raise RuntimeError(f"{row.method.name}, seed {seed}: has not been measured")
        found.append(figures)
    return found


def summary(figures: Figures) -> dict[str, float | None]:
    """Return the figures that stand for a method in one line."""
    return {key: figure.of(figures) for key, figure in FIGURES.items()}


def _described(
    row: Row, figures: Sequence[Figures], histories: Sequence[History], out: Path
) -> MethodResults:
    repeats: list[Repeat] = []
    for seed, model, of_seed, known in zip(row.seeds, row.models, figures, histories, strict=True):
        took = record(out / "models", model)
        repeats.append(
            {
                "seed": seed,
                "threshold": of_seed["threshold"],
                "picture_threshold": of_seed["picture_threshold"],
                "seconds": took["seconds"],
                "cpu_seconds": took["cpu_seconds"],
                "summary": summary(of_seed),
                "learning": learning(known, row.lineage),
            }
        )
    summaries = [repeat["summary"] for repeat in repeats]
    return {
        "name": row.method.name,
        "slug": row.method.slug,
        "family": row.method.family,
        "note": row.method.note,
        "summary": {
            key: mean_and_spread([summary[key] for summary in summaries]) for key in FIGURES
        },
        "classes": class_figures(figures),
        "recall": mean_curve([of_seed["defects"]["recall"] for of_seed in figures]),
        "repeats": repeats,
        "predictions": predictions_folder(out, row.method.slug).relative_to(out).as_posix(),
        "per_image": figures[0]["per_image"],
    }


def learning(known: History, lineage: Sequence[str]) -> list[Pass]:
    """Return the passes of a history, each with the name of the method whose fit it belongs to.

    Args:
        known: the history of a model.
        lineage: names of the methods whose fits led to it, in their order.
    """
    fits = [entry.fit for entry in known.passes]
    # The last fit is the method's own; a model may remember fewer fits than led to it, or more.
    before = len(lineage) - 1 - max(fits, default=0)
    return [
        {
            "fit": lineage[max(0, before + entry.fit)],
            "epoch": fits[: place + 1].count(entry.fit),
            "values": dict(entry.values),
        }
        for place, entry in enumerate(known.passes)
    ]


def _evaluated(row: Row, figures: Sequence[Figures], models: Path) -> Evaluated:
    seconds = [record(models, key)["cpu_seconds"] for key in row.models]
    return Evaluated(
        row.method.name,
        [image for of_seed in figures for image in of_seed["per_image"]],
        [
            {
                **summary(of_seed),
                **{
                    f"{name} {key}": known[key]
                    for name, known in of_seed["classes"].items()
                    for key in CLASS_FIGURES
                },
            }
            for of_seed in figures
        ],
        sum(seconds) / len(seconds),
    )


def _image(sample: Sample, rows: Sequence[Figures]) -> Image:
    row = next(row for row in rows if row["name"] == sample.name)
    return {
        "name": sample.name,
        "picture": sample.image.as_posix(),
        "mask": sample.mask.as_posix() if sample.mask is not None else None,
        "class_image": sample.annotation.as_posix()
        if sample.annotation is not None and sample.annotation.suffix == ".png"
        else None,
        "label": sample.label,
        "group": sample.group,
        "contains": {name: known["instances"] for name, known in row["classes"].items()},
    }


def _class_index(samples: Sequence[Sample]) -> dict[str, int]:
    """Return the index of each class in class images; none where there are no such images."""
    for sample in samples:
        if sample.annotation is not None:
            return {known.name: index for index, known in load_annotation(sample).names.items()}
    return {}


def mean_and_spread(values: Sequence[float | None]) -> Spread:
    """Return "mean" and "spread" (standard deviation) over repeats.

    None where undefined: a value that is missing makes both so, a single one has no spread.
    """
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return {"mean": None, "spread": None}
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return {"mean": float(np.mean(known)), "spread": spread}


def mean_curve(curves: Sequence[Sequence[float | None]]) -> list[float | None]:
    """Return the mean of curves, point by point; None where a curve has none."""
    return [mean_and_spread(values)["mean"] for values in zip(*curves, strict=True)]


def class_figures(figures: Sequence[Figures]) -> dict[str, ClassFigures]:
    """Return the figures of each class over the repeats of one method.

    Args:
        figures: of each repeat, as `evaluate` returns them.
    """
    found: dict[str, ClassFigures] = {}
    for name, first in figures[0]["classes"].items():
        of = [of_seed["classes"][name] for of_seed in figures]
        found[name] = {
            "kind": first["kind"],
            "instances": first["instances"],
            "figures": {
                key: mean_and_spread([of_seed[key] for of_seed in of]) for key in CLASS_FIGURES
            },
            "recall": mean_curve([of_seed["recall"] for of_seed in of]),
        }
    return found
