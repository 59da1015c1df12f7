"""Names for what is kept, made of all that it depends on: what changes is made anew, and no more.

There is one key for models and one for figures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stainless.config import plain
from stainless.dataset import Sample
from train.augment import Ranges
from train.detectors.detector import Trainset
from train.detectors.detector import method as detector_method
from train.experiments.experiment import MethodEntry
from train.feature_settings import Features
from train.metrics import METRIC_VERSION
from train.verdicts.choice import USUAL
from train.verdicts.rule import rule_named


@cache
def _content(path: Path, size: int, time_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def content(path: Path) -> str:
    """Return the SHA-256 of a file's bytes (hex); an unchanged file is read once."""
    state = path.stat()
    return _content(path, state.st_size, state.st_mtime_ns)


def digest(value: Any) -> str:
    """Return a short name for a JSON-able value: equal for equal ones."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:20]


def trainset_contents(trainsets: Sequence[Trainset]) -> list[str]:
    """Return name and content of every picture that is learned from."""
    return [
        f"{trainset.name}/{sample.name} {content(sample.image)}"
        for trainset in trainsets
        for sample in trainset.samples
    ]


def labelled_contents(samples: Sequence[Sample]) -> str:
    """Return a name for pictures and their ground truth."""
    return digest(
        [[sample.name, *(content(path) for path in _files(sample))] for sample in samples]
    )


def model_key(
    method: MethodEntry,
    seed: int,
    device: str,
    pictures: Sequence[str] | None,
    needs: Sequence[str],
    validation: str | None = None,
) -> str:
    """Return the name of a model.

    Args:
        method: what it is of.
        seed: of this repeat.
        device: where it is computed.
        pictures: what `trainset_contents` says of its trainset; None when it is melded.
        needs: the keys of the models that it needs, in the order of `MethodEntry.needs`.
        validation: what `labelled_contents` says of the pictures that it is calibrated with; None
            where it is not.
    """
    calibrated = {} if validation is None else {"calibrated": validation}
    return digest(
        {
            **calibrated,
            "detector": method.detector,
            "settings": plain(asdict(method.settings)),
            "weights": _weights(method.settings),
            "versions": {name: version(name) for name in packages(method.detector)},
            "device": device,
            "seed": seed if method.trainset is not None else None,
            "pictures": list(pictures) if pictures is not None else None,
            "augment": plain(asdict(Ranges())) if method.augment else None,
            "continued": method.base is not None,
            "needs": list(needs),
        }
    )


def figures_key(
    model: str, labelled: str, rules: Mapping[str, tuple[str, float | None]] | None = None
) -> str:
    """Return the name of the figures of a model on labelled pictures.

    Args:
        model: its key.
        labelled: what `labelled_contents` says of the pictures.
        rules: as `Pictures.rules`; none for the usual ones.
    """
    if not rules:
        return digest([model, labelled, METRIC_VERSION, threshold_rules()])
    chosen = [
        [kind, name, number, rule_named(name, kind).version]
        for kind, (name, number) in sorted(rules.items())
    ]
    return digest([model, labelled, METRIC_VERSION, chosen])


def threshold_rules() -> dict[str, list[list[Any]]]:
    """Return name and version of the rules that thresholds of each kind are found by, in turn."""
    return {
        kind: [[name, rule_named(name, kind).version] for name in names]
        for kind, names in USUAL.items()
    }


def packages(detector: str) -> list[str]:
    """Return the installed packages on whose version the results of a detector depend."""
    return ["torch", "timm", *detector_method(detector).packages]


def _weights(settings: Any) -> dict[str, str]:
    """Return a hash of the weights of a backbone, and of every file that settings name."""
    found = {}
    backbone = getattr(settings, "backbone", None)
    if backbone is not None and getattr(settings, "weights", None) is None:
        stages = tuple(getattr(settings, "stages", Features.stages))
        ours = settings.features if isinstance(settings, Features) else Features(backbone, stages)
        found["backbone"] = published_weights_hash(ours)
    for key, value in asdict(settings).items():
        if isinstance(value, (str, Path)) and Path(value).is_file():
            found[key] = content(Path(value))
    return found


@lru_cache
def published_weights_hash(features: Features) -> str:
    """Return a hash of the weights that features have when no file is given for them."""
    from train.features import FeatureExtractor

    return str(FeatureExtractor.of(features).identity()["weights"])


def _files(sample: Sample) -> list[Path]:
    """Return the files of a sample that its figures depend on."""
    found = [sample.image]
    for path in (sample.mask, sample.annotation):
        if path is not None:
            found += sorted(path.iterdir()) if path.is_dir() else [path]
    return found
