"""Train one baseline and write its anomaly maps; what is finished is kept."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from stainless.dataset import Sample
from stainless.errors import InputError
from stainless.files import write_json
from stainless.measure import Watch
from train.backbones import published_weights
from train.experiments.baselines.settings import BACKBONE, BASELINES, BaselineSettings
from train.map_files import write_map
from train.seeding import seeded

#: In the folder of the results: what they were made from and what they cost.
RECORD = "done.json"


def run_baseline(
    name: str,
    nominal: Sequence[Sample],
    judged: Mapping[str, Sequence[Sample]],
    out: Path,
    settings: BaselineSettings,
    seed: int,
    device: str = "cpu",
) -> dict[str, Any]:
    """Train a baseline on nominal pictures and write the anomaly map of every judged one.

    The map of a sample is `out/<part>/<sample.name>.npy`, (H, W) float32 in its own pixels. Maps
    that are there are kept; where all are, nothing is trained. A run that was broken off trains
    again, with the same result, and goes on with the first map that is missing.

    Args:
        name: a key of `BASELINES`.
        nominal: what to learn from.
        judged: samples by the name of their part of the dataset.
        out: folder of the results of this baseline and seed alone.
        settings: see there.
        seed: of all that is drawn; the global generators are left as they were.
        device: where torch computes.

    Returns:
        JSON-able: "name" as printed, "settings", "seed", "images" learned from; "training" with
        "seconds" and "cpu_seconds"; "scoring" with the same and the number of "images" they were
        spent on, reading and writing included; "made_from" with digests of everything above.

    Raises:
        InputError: an unknown baseline, no nominal picture, missing weights, unreadable pictures,
            pictures of more than one size (PaDiM), or an `out` of other pictures or settings.
    """
    if name not in BASELINES:
        raise InputError(f"unknown baseline '{name}'; known: {', '.join(BASELINES)}")
    learned = list(nominal)[:: settings.every_of(name)]
    if not learned:
        raise InputError(f"{BASELINES[name]}: no nominal picture to learn from")
    made_from = _made_from(name, learned, settings, seed, device)
    parts = {part: _digest(samples) for part, samples in judged.items()}
    known = _read_record(out / RECORD)
    _require_same(known, made_from, parts, out / RECORD)
    wanted = [
        (sample, out / part / f"{sample.name}.npy") for part in judged for sample in judged[part]
    ]
    missing = [(sample, path) for sample, path in wanted if not path.is_file()]
    if known and not missing and parts.keys() <= known["parts"].keys():
        return known
    record: dict[str, Any] = {
        "name": BASELINES[name],
        "settings": asdict(settings),
        "seed": seed,
        "images": len(learned),
        "made_from": made_from,
        "parts": {**(known or {}).get("parts", {}), **parts},
    }
    # Takes seconds: a finished run need not wait for it, and no training is charged with it.
    importlib.import_module("anomalib.models")
    with seeded(seed):
        watch = Watch()
        anomaly_map = _train(name, learned, [s for s, _ in wanted], settings, device)
        record["training"] = watch.spent()
        # Before the first map, so that maps of other settings never pass for these.
        write_json(out / RECORD, record)
        watch = Watch()
        _score(anomaly_map, missing, device)
    record["scoring"] = {"images": len(missing), **watch.spent()}
    write_json(out / RECORD, record)
    return record


def _train(
    name: str,
    learned: Sequence[Sample],
    judged: Sequence[Sample],
    settings: BaselineSettings,
    device: str,
) -> Callable[[Tensor], Tensor]:
    """Return what maps normalised (1, 3, H, W) pictures to (1, 1, H, W) anomaly maps."""
    from train.experiments.baselines import memory, supersimplenet

    if name == "supersimplenet":
        discriminator = supersimplenet.train_supersimplenet(learned, settings, device).eval()
        return partial(supersimplenet.anomaly_map, discriminator)
    if name == "padim":
        memory.require_one_size([*learned, *judged])
        model = memory.train_padim(learned, settings, device)
    else:
        model = memory.train_patchcore(learned, settings, device)
    model.eval()
    return lambda pictures: model(pictures).anomaly_map


def _score(
    anomaly_map: Callable[[Tensor], Tensor], missing: Sequence[tuple[Sample, Path]], device: str
) -> None:
    """Write the anomaly map of every sample to its path."""
    from train.experiments.baselines.backbone import read_picture

    for sample, path in tqdm(missing, desc="scoring", unit="image", disable=None):
        with torch.inference_mode():
            found = anomaly_map(read_picture(sample, device))
        write_map(path, found[0, 0].cpu().numpy())


def _made_from(
    name: str, learned: Sequence[Sample], settings: BaselineSettings, seed: int, device: str
) -> dict[str, Any]:
    """Return everything that the maps depend on beside the judged pictures."""
    weights = published_weights(BACKBONE)
    return {
        "baseline": name,
        "settings": asdict(settings),
        "seed": seed,
        "device": device,
        "nominal pictures": _digest(learned),
        "weights": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "versions": {package: version(package) for package in ("anomalib", "torch")},
    }


def _digest(samples: Sequence[Sample]) -> str:
    """Return the SHA-256 over the names and files of pictures, in their order."""
    digest = hashlib.sha256()
    for sample in samples:
        content = hashlib.sha256(sample.image.read_bytes()).hexdigest()
        digest.update(f"{sample.name} {content}\n".encode())
    return digest.hexdigest()


def _read_record(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text())
        if isinstance(record["made_from"], dict) and isinstance(record["parts"], dict):
            return record
    except (ValueError, KeyError, TypeError):
        pass
    raise InputError(f"{path}: is not the record of a baseline; remove the folder or name another")


def _require_same(
    known: dict[str, Any] | None,
    made_from: dict[str, Any],
    parts: Mapping[str, str],
    path: Path,
) -> None:
    """Raise InputError if the maps that are there were made from something else."""
    if known is None:
        return
    was = known["made_from"]
    differing = [key for key, value in made_from.items() if was.get(key) != value]
    differing += [part for part, value in parts.items() if known["parts"].get(part, value) != value]
    if differing:
        raise InputError(
            f"{path}: was made with other {', '.join(differing)}; remove its folder or name another"
        )
