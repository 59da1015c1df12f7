"""All figures of an experiment in one file, `results.json`, which the report is made from."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from stainless.dataset import Sample, load_annotation
from stainless.files import write_json
from train.detectors.sequential_patchcore.coreset import Coreset
from train.experiments import evidence
from train.experiments.feature_store import FeatureStore
from train.experiments.findings import Checks, Judged
from train.experiments.fits import learning, model_file, record
from train.experiments.judging import (
    class_figures,
    judged,
    judged_key,
    mean_and_spread,
    mean_curve,
    predictions_folder,
    result_file,
    summary,
)
from train.experiments.scenarios import CLEAN, REAL, STAINED
from train.experiments.settings import Experiment
from train.experiments.sources import Pictures
from train.experiments.stages import Stages
from train.features import FeatureExtractor
from train.metrics import CLASS_FIGURES, COVERAGE_THRESHOLDS

RESULTS = "results.json"

#: Whose memory the map shows: the first of these that was made.
REMEMBERED = ("Melding_WS", "Melding", "Synth_WS finetuned", "Synth finetuned", "Synth_WS", "Synth")


#: Whose versions the report states.
PACKAGES = ("stainless", "torch", "anomalib", "timm")


@dataclass(frozen=True)
class Method:
    """A row of the tables.

    Attributes:
        name: as printed.
        slug: name of its files.
        family: real, synthetic, finetuned, melded or baseline.
        note: what must be known to compare it; None for nothing.
        seeds: of its repeats.
        keys: of its repeats: what its figures were made from, or of a scenario its coreset.
        models: folder of the coresets; None of a baseline.
    """

    name: str
    slug: str
    family: str
    note: str | None
    seeds: Sequence[int]
    keys: Sequence[str]
    models: Path | None


def write_results(
    experiment: Experiment,
    pictures: Pictures,
    methods: Sequence[Method],
    judged_digest: str,
    features: Path | None,
    stages: Stages,
    command: str,
) -> None:
    """Gather figures, findings, times and settings and write `results.json`.

    Args:
        experiment: its settings.
        pictures: what was learned from and judged.
        methods: the rows of the tables, all judged.
        judged_digest: of the labelled pictures.
        features: where features are kept.
        stages: what each took.
        command: how it was called.
    """
    out = Path(experiment.out)
    figures = {method.name: _figures(method, out, judged_digest) for method in methods}
    described = [_described(method, figures[method.name], out) for method in methods]
    first = next(iter(figures.values()))[0]
    classes = {name: one["kind"] for name, one in first["classes"].items()}
    stain = experiment.synthetic.stain if experiment.synthetic.stain in classes else None
    store = FeatureStore(FeatureExtractor(**experiment.extractor_options()), features)
    facts = _gathered(pictures, methods, stain, store)
    scenarios = {
        method.name: _judged(method, figures[method.name])
        for method in methods
        if method.models is not None
    }
    checks = Checks(scenarios, stain, experiment.seed, experiment.bootstrap_rounds, facts.reason)
    rows = first["per_image"]
    write_json(
        out / RESULTS,
        {
            "title": experiment.title,
            "real": {
                "root": experiment.real.data,
                "category": experiment.real.category,
                "kind": experiment.real.kind,
                "note": f"validation split: {pictures.how}",
                "train": sum(len(one.samples) for one in pictures.trainsets[REAL]),
                "validation": len(pictures.validation),
                "test": len(pictures.test),
            },
            "synthetic": {
                "root": experiment.synthetic.data,
                "scene": experiment.synthetic.scene,
                "images": {
                    one.name: len(one.samples)
                    for key, trainsets in pictures.trainsets.items()
                    if key != REAL
                    for one in trainsets
                },
            },
            "classes": classes,
            "class_index": _class_index(pictures.test),
            "coverage_thresholds": list(COVERAGE_THRESHOLDS),
            "images": [_image(sample, rows) for sample in pictures.test],
            "methods": described,
            "findings": checks.all(),
            "evidence": asdict(facts),
            "memory_map": _memory_map(experiment, methods, pictures, out),
            "stages": [{"name": name, **took} for name, took in stages.seconds.items()],
            "peak_memory_mb": stages.peak_mb,
            "machine": machine(),
            "versions": {
                name: version(name) for name in ("stainless", "torch", "anomalib", "timm")
            },
            "config": asdict(experiment),
            "seeds": [experiment.seed + number for number in range(experiment.repeats)],
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


def _figures(method: Method, out: Path, judged_digest: str) -> list[dict[str, Any]]:
    """Return the figures of each repeat."""
    found = []
    for seed, made in zip(method.seeds, method.keys, strict=True):
        key = judged_key(made, judged_digest) if method.models is not None else made
        result = judged(result_file(out, method.slug, seed), key)
        if result is None:
            raise RuntimeError(f"{method.name}, seed {seed}: has not been judged")
        found.append(result)
    return found


def _took(method: Method, number: int, result: Mapping[str, Any]) -> dict[str, float]:
    """Return the seconds of making a method, of the last step alone where others come before."""
    if method.models is not None:
        return record(method.models, method.keys[number])
    took = result["took"]
    return {key: took["training"][key] + took["scoring"][key] for key in ("seconds", "cpu_seconds")}


def _described(method: Method, results: Sequence[Mapping[str, Any]], out: Path) -> dict[str, Any]:
    repeats = []
    for number, (seed, result) in enumerate(zip(method.seeds, results, strict=True)):
        passes: list[dict[str, Any]] = []
        if method.models is not None:
            coreset = Coreset.load(model_file(method.models, method.keys[number]))
            passes = learning(coreset, method.name.removesuffix(" finetuned"))
        took = _took(method, number, result)
        repeats.append(
            {
                "seed": seed,
                "threshold": result["threshold"],
                "seconds": took["seconds"],
                "cpu_seconds": took["cpu_seconds"],
                "summary": summary(result),
                "learning": passes,
            }
        )
    summaries = [summary(result) for result in results]
    return {
        "name": method.name,
        "slug": method.slug,
        "family": method.family,
        "note": method.note,
        "summary": {key: mean_and_spread([one[key] for one in summaries]) for key in summaries[0]},
        "classes": class_figures(results),
        "recall": mean_curve([result["defects"]["recall"] for result in results]),
        "repeats": repeats,
        "predictions": predictions_folder(out, method.slug).relative_to(out).as_posix(),
        "per_image": results[0]["per_image"],
    }


def _judged(method: Method, results: Sequence[Mapping[str, Any]]) -> Judged:
    took = [_took(method, number, result)["cpu_seconds"] for number, result in enumerate(results)]
    return Judged(
        method.name,
        [row for result in results for row in result["per_image"]],
        [
            {
                **summary(result),
                **{
                    f"{name} {key}": one[key]
                    for name, one in result["classes"].items()
                    for key in CLASS_FIGURES
                },
            }
            for result in results
        ],
        sum(took) / len(took),
    )


def _gathered(
    pictures: Pictures, methods: Sequence[Method], stain: str | None, store: FeatureStore
) -> evidence.Evidence:
    models = {
        method.name: model_file(method.models, method.keys[0])
        for method in methods
        if method.models is not None and method.name in (*evidence.NEAR, *evidence.MIXED)
    }
    unseen = [sample for sample in pictures.test if sample.is_good]
    nominal = unseen or [sample for one in pictures.trainsets[REAL] for sample in one.samples]
    stained = [s for one in pictures.trainsets.get(STAINED, []) for s in one.samples]
    with torch.inference_mode():
        return evidence.gather(
            pictures.test, nominal, stained, stain, pictures.trainsets[REAL][0].name, models, store
        )


def _memory_map(
    experiment: Experiment, methods: Sequence[Method], pictures: Pictures, out: Path
) -> dict[str, Any] | None:
    """Return which coreset the map shows, and what its sources are."""
    known = {method.name: method for method in methods if method.models is not None}
    name = next((name for name in REMEMBERED if name in known), next(iter(known), None))
    if name is None:
        return None
    origins, roots = {}, {}
    for key, trainsets in pictures.trainsets.items():
        data = experiment.real.data if key == REAL else experiment.synthetic.data
        for one in trainsets:
            kind = "real" if key == REAL else "synthetic" if key.startswith(CLEAN) else "stained"
            origins[one.name] = kind
            roots[one.name] = (Path(data) / one.name).as_posix()
    method = known[name]
    if method.models is None:
        return None
    model = model_file(method.models, method.keys[0]).relative_to(out).as_posix()
    return {"model": model, "method": name, "origins": origins, "roots": roots}


def _image(sample: Sample, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
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
        "contains": {name: one["instances"] for name, one in row["classes"].items()},
    }


def _class_index(samples: Sequence[Sample]) -> dict[str, int]:
    """Return the index of each class in class images; none where there are no such images."""
    for sample in samples:
        if sample.annotation is not None:
            return {one.name: index for index, one in load_annotation(sample).names.items()}
    return {}
