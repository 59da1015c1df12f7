"""Models of an experiment's methods, each in a file named by all that it was made from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stainless.files import write_json
from stainless.measure import Watch
from train.augment import Ranges
from train.detectors.detector import Context, Trainset, named
from train.detectors.detector import method as detector_method
from train.detectors.fitting import fit_file
from train.detectors.history import History
from train.detectors.model_file import Model, read
from train.experiments.experiment import MethodEntry, Pictures, learned_from
from train.experiments.feature_store import store_of
from train.experiments.keys import model_key, trainset_contents


@dataclass(frozen=True)
class Fit:
    """One model to make.

    Attributes:
        method: what it is of.
        seed: of this repeat.
        device: where it is computed.
        key: name of its files.
        needs: keys of the models that it needs, in the order of `MethodEntry.needs`.
    """

    method: MethodEntry
    seed: int
    device: str
    key: str
    needs: tuple[str, ...]


def planned(
    waves: Sequence[Sequence[MethodEntry]],
    seed: int,
    device: str,
    pictures: Pictures,
) -> list[list[Fit]]:
    """Return the fits of waves of methods.

    Args:
        waves: as `experiment.waves` gives them.
        seed: of this repeat.
        device: where they are computed.
        pictures: what they are fitted to.
    """
    keys: dict[str, str] = {}
    plan = []
    for wave in waves:
        fits = []
        for method in wave:
            needs = tuple(keys[name] for name in method.needs)
            trainsets = learned_from(method, pictures)
            contents = trainset_contents(trainsets) if trainsets else None
            keys[method.name] = model_key(method, seed, device, contents, needs)
            fits.append(Fit(method, seed, device, keys[method.name], needs))
        plan.append(fits)
    return plan


def is_done(folder: Path, key: str) -> bool:
    """Tell whether a model is finished."""
    path = _record(folder, key)
    return (
        path.is_file()
        and bool(json.loads(path.read_text())["finished"])
        and model_file(folder, key).is_file()
    )


def record(folder: Path, key: str) -> dict[str, Any]:
    """Return what a finished model took: "seconds" and "cpu_seconds"."""
    found: dict[str, Any] = json.loads(_record(folder, key).read_text())
    return found


def model_file(folder: Path, key: str) -> Path:
    """Return where a model lies."""
    return folder / f"{key}.safetensors"


def _record(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def make(todo: Fit, trainsets: Sequence[Trainset], folder: Path, features: Path | None) -> None:
    """Make one model and save it; a fit that was interrupted goes on where it was saved last.

    Args:
        todo: what to make.
        trainsets: what is fitted to; empty when melding.
        folder: of the models.
        features: folder where features are kept; None computes them.

    Raises:
        InputError: a picture, or settings, that cannot be used.
    """
    path, note = model_file(folder, todo.key), _record(folder, todo.key)
    before = json.loads(note.read_text()) if note.is_file() else {"seconds": 0, "cpu_seconds": 0}
    watch = Watch()

    def took(finished: bool) -> None:
        write_json(
            note,
            {
                "method": todo.method.name,
                "seed": todo.seed,
                **{key: before[key] + value for key, value in watch.spent().items()},
                "finished": finished,
            },
        )

    method = todo.method
    context = Context(
        seed=todo.seed,
        device=todo.device,
        augmentation=Ranges() if method.augment else None,
        features=store_of(method, todo.device, features),
        report=lambda _: took(False),
        warn=lambda _: None,
        shuffle=True,
    )
    if method.sources:
        first, *others = [Model.load(model_file(folder, key), context) for key in todo.needs]
        first.meld(others, method.settings).save(path)
    else:
        base = model_file(folder, todo.needs[0]) if todo.needs else None
        fit_file(path, method.detector, method.settings, trainsets, context, base)
    took(True)


def history(path: Path, detector: str) -> History:
    """Return how a model was learned, first as the model that it continues.

    Args:
        path: its file.
        detector: name of its method.

    Returns:
        No passes for a method that remembers none.
    """
    reader = detector_method(detector).history
    found: History = named(reader)(read(path).state) if reader is not None else History()
    return found
