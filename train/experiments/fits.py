"""Models of an experiment's methods, each in a file named by all that it was made from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stainless.dataset import Sample
from stainless.files import write_json
from stainless.measure import Watch, peak, restart_peak
from train.augment import Ranges
from train.calibration import BOUNDED, Calibration, fit_all
from train.detectors.detector import Context, Trainset, named
from train.detectors.detector import method as detector_method
from train.detectors.fitting import fit_file
from train.detectors.history import History
from train.detectors.model_file import Model, read
from train.experiments.experiment import MethodEntry, Pictures, learned_from
from train.experiments.feature_store import store_of
from train.experiments.keys import labelled_contents, model_key, trainset_contents
from train.scoring import picture_scores


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
            held = labelled_contents(validation_of(method, pictures)) if method.calibrated else None
            keys[method.name] = model_key(method, seed, device, contents, needs, held)
            fits.append(Fit(method, seed, device, keys[method.name], needs))
        plan.append(fits)
    return plan


def validation_of(method: MethodEntry, pictures: Pictures) -> Sequence[Sample]:
    """Return the labelled pictures that a method's model is calibrated with; none as a rule."""
    return pictures.splits(method.variant)[0] if method.calibrated else ()


def is_done(folder: Path, key: str) -> bool:
    """Tell whether a model is finished."""
    path = _record(folder, key)
    return (
        path.is_file()
        and bool(json.loads(path.read_text())["finished"])
        and model_file(folder, key).is_file()
    )


def record(folder: Path, key: str) -> dict[str, Any]:
    """Return what a finished model took: "seconds", "cpu_seconds" and "peak_memory_mb"."""
    found: dict[str, Any] = json.loads(_record(folder, key).read_text())
    return found


def model_file(folder: Path, key: str) -> Path:
    """Return where a model lies."""
    return folder / f"{key}.safetensors"


def _record(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def make(
    todo: Fit,
    trainsets: Sequence[Trainset],
    folder: Path,
    features: Path | None,
    validation: Sequence[Sample] = (),
) -> None:
    """Make one model and save it; a fit that was interrupted goes on where it was saved last.

    Args:
        todo: what to make.
        trainsets: what is fitted to; empty when melding.
        folder: of the models.
        features: folder where features are kept; None computes them.
        validation: labelled pictures that it is calibrated with; none for no calibration.

    Raises:
        InputError: a picture, or settings, that cannot be used.
    """
    path, note = model_file(folder, todo.key), _record(folder, todo.key)
    before = json.loads(note.read_text()) if note.is_file() else {"seconds": 0, "cpu_seconds": 0}
    watch = Watch()
    restart_peak()

    def took(finished: bool) -> None:
        most = max(before.get("peak_memory_mb", 0), peak() / 1e6)
        write_json(
            note,
            {
                "method": todo.method.name,
                "seed": todo.seed,
                **{key: before[key] + value for key, value in watch.spent().items()},
                "peak_memory_mb": most,
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
        base = model_file(folder, todo.needs[-1]) if method.base is not None else None
        chosen = method.settings
        if method.members:
            files = [str(model_file(folder, key)) for key in todo.needs[: len(method.members)]]
            chosen = replace(chosen, members=tuple(files))
        fit_file(path, method.detector, chosen, trainsets, context, base)
    if validation:
        model = Model.load(path, context)
        scores, defective = picture_scores(model, validation)
        model.calibration.update(Calibration(BOUNDED, fit_all(scores, defective), {}).record())
        model.save(path)
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
