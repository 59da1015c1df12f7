"""The independent jobs of an experiment, as `pool.run` calls them in its processes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from stainless.dataset import Sample
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.fitting import Trainset
from train.detectors.sequential_patchcore.model import Detector
from train.experiments import fits, pool
from train.experiments.baselines import BaselineSettings, run_baseline
from train.experiments.feature_store import FeatureStore
from train.experiments.judging import Parts, maps_of, predictions_folder, result_file
from train.experiments.judging import judge as judge_maps
from train.experiments.settings import DetectorSettings


def extract(samples: Sequence[Sample], features: Path) -> None:
    """Keep the features of some pictures."""
    store = FeatureStore(pool.extractor(), features)
    for sample in samples:
        store(sample)


def fit(
    todo: fits.Fit,
    trainsets: Sequence[Trainset],
    folder: Path,
    features: Path | None,
    detector: DetectorSettings,
) -> None:
    """Make one coreset; see `fits.make`."""
    fits.make(todo, trainsets, folder, pool.extractor(), features, detector)


def judge(
    slug: str,
    seed: int,
    made: str,
    folder: Path,
    features: Path | None,
    parts: Parts,
    out: Path,
    key: str,
    shown: bool,
) -> None:
    """Score all pictures with a coreset and write its figures, and if `shown` its predictions."""
    extractor = pool.extractor()
    coreset = Coreset.load(fits.model_file(folder, made), device=extractor.device)
    store = FeatureStore(extractor, features)
    with maps_of(Detector(extractor, coreset), store, parts, out) as maps:
        predictions = predictions_folder(out, slug) if shown else None
        judge_maps(maps, parts, key, result_file(out, slug, seed), predictions)


def baseline(
    name: str,
    nominal: Sequence[Sample],
    parts: Parts,
    out: Path,
    settings: BaselineSettings,
    seed: int,
    device: str,
    key: str,
    shown: bool,
) -> None:
    """Train a baseline and write its figures; its maps stay until then, so that it can resume."""
    maps = out / "baselines" / f"{name}.{seed}.{key}"
    took = run_baseline(name, nominal, parts, maps, settings, seed, device)
    predictions = predictions_folder(out, name) if shown else None
    judge_maps(maps, parts, key, result_file(out, name, seed), predictions, took)
    shutil.rmtree(maps)
