"""Coresets of scenarios, each named by the content of all that it was made from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stainless.files import write_json
from stainless.measure import Watch
from train.augment import Ranges
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.fitting import Settings, Trainset, fit
from train.detectors.sequential_patchcore.model import Detector
from train.experiments.feature_store import FeatureStore, digest
from train.experiments.scenarios import Scenario
from train.experiments.settings import DetectorSettings
from train.features import FeatureExtractor


@dataclass(frozen=True)
class Fit:
    """One coreset to make.

    Attributes:
        scenario: what it is.
        seed: of order and augmentation.
        key: name of its files: a digest of everything that it depends on.
        base: key of the coreset that it continues from.
        parts: keys of those that it melds.
    """

    scenario: Scenario
    seed: int
    key: str
    base: str | None
    parts: tuple[str, ...]


def planned(
    waves: Sequence[Sequence[Scenario]],
    seed: int,
    detector: DetectorSettings,
    identity: Mapping[str, Any],
    contents: Mapping[str, Sequence[str]],
) -> list[list[Fit]]:
    """Return the fits of waves of scenarios, named by their contents.

    Args:
        waves: as `with_needs` gives them.
        seed: of this repeat.
        detector: size and epochs.
        identity: of the feature extractor.
        contents: of each trainset, a digest per picture.
    """
    keys: dict[str, str] = {}
    plan = []
    for wave in waves:
        fits = []
        for one in wave:
            base = keys[one.base] if one.base is not None else None
            parts = tuple(keys[name] for name in one.parts)
            facts = {
                "identity": dict(identity),
                "size": detector.size,
                "epochs": detector.epochs,
                "seed": seed if one.trainset is not None else None,
                "pictures": list(contents[one.trainset]) if one.trainset is not None else None,
                "augment": asdict(Ranges()) if one.augment else None,
                "base": base,
                "parts": parts,
            }
            keys[one.name] = digest(facts)
            fits.append(Fit(one, seed, keys[one.name], base, parts))
        plan.append(fits)
    return plan


def is_done(folder: Path, key: str) -> bool:
    """Tell whether a coreset is finished."""
    path = _record(folder, key)
    return path.is_file() and bool(json.loads(path.read_text())["finished"])


def record(folder: Path, key: str) -> dict[str, Any]:
    """Return what a finished coreset took: "seconds" and "cpu_seconds"."""
    found: dict[str, Any] = json.loads(_record(folder, key).read_text())
    return found


def model_file(folder: Path, key: str) -> Path:
    """Return where a coreset lies."""
    return folder / f"{key}.safetensors"


def _record(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def make(
    todo: Fit,
    trainsets: Sequence[Trainset],
    folder: Path,
    extractor: FeatureExtractor,
    features: Path | None,
    detector: DetectorSettings,
) -> None:
    """Make one coreset and save it; a fit that was interrupted goes on after its last epoch.

    Args:
        todo: what to make.
        trainsets: what is fitted to; empty when melding.
        folder: of the coresets.
        extractor: of the features.
        features: where they are kept.
        detector: size and epochs.

    Raises:
        InputError: a picture that cannot be used.
    """
    path, note = model_file(folder, todo.key), _record(folder, todo.key)
    before = json.loads(note.read_text()) if note.is_file() else {"seconds": 0, "cpu_seconds": 0}
    watch = Watch()

    def took(finished: bool) -> None:
        write_json(
            note,
            {
                "scenario": todo.scenario.name,
                "seed": todo.seed,
                **{key: before[key] + value for key, value in watch.spent().items()},
                "finished": finished,
            },
        )

    device = extractor.device
    if todo.parts:
        first, *others = [Coreset.load(model_file(folder, k), device=device) for k in todo.parts]
        first.meld(others, detector.size).save(path)
    else:
        if path.is_file():
            coreset = Coreset.load(path, device=device)
        elif todo.base is not None:
            coreset = Coreset.load(model_file(folder, todo.base), device=device)
        else:
            coreset = Coreset(
                detector.size,
                dimension=extractor.dimension,
                identity=extractor.identity(),
                device=device,
            )
        ranges = Ranges() if todo.scenario.augment else None
        settings = Settings(detector.epochs, ranges, todo.seed, todo.base, shuffle=True)
        fit(
            Detector(extractor, coreset),
            trainsets,
            settings,
            path,
            lambda _: took(False),
            FeatureStore(extractor, features),
        )
    took(True)


def learning(coreset: Coreset, name: str) -> list[dict[str, Any]]:
    """Return the passes that led to a coreset, first those of the coreset that it continues.

    Args:
        coreset: with its history.
        name: what the last fit is called.

    Returns:
        A row a pass: "fit", "epoch", "patches", "added", "replacements", "d_m" and
        "covering_radius" (in passing, until an epoch changes nothing).
    """
    rows: list[dict[str, Any]] = []
    fits = 0
    for event in coreset.history:
        if event["event"] == "fit":
            fits += 1
            label = name if fits == 1 else "finetuning"
            passed = len(rows)
        elif event["event"] == "meld":
            label, passed = "melding", 0
        for one in [event] if event["event"] == "epoch" else event.get("passes", []):
            rows.append(
                {
                    "fit": label,
                    "epoch": len(rows) + 1 - passed,
                    "patches": one["patches"],
                    "added": one["added"],
                    "replacements": one["replacements"],
                    "d_m": _finite(one["separation"]),
                    "covering_radius": _finite(one["farthest"]),
                }
            )
    return rows


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
