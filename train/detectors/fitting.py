"""Fitting a model to a file, for any method: a fit that was interrupted continues."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stainless.config import plain
from stainless.dataset import read_as_learned, record_depth
from stainless.errors import InputError
from train.detectors.detector import Context, Metadata, Trainset, method
from train.detectors.model_file import Model, Stored, read
from train.detectors.request import describe, member_files


def fit_file(
    path: Path,
    name: str,
    settings: Any,
    trainsets: Sequence[Trainset],
    context: Context,
    base: Path | None = None,
) -> bool:
    """Fit a model and save it; the same call continues where an interrupted one stopped.

    What is unfinished lies in the file itself where it is a usable model, else in a folder beside
    it, `.<name>.<digest of the fit>.checkpoint`, which is removed in the end.

    Args:
        path: of the model file.
        name: of the method.
        settings: of that method.
        trainsets: nominal pictures.
        context: of the fit; `checkpoint`, `save` and `base` are set here.
        base: model file to continue; None for a fit from nothing.

    Returns:
        Whether anything was left to do.

    Raises:
        InputError: the file or the folder is of another fit; a method that does not continue; what
            the detector cannot use.
        OSError: a file cannot be read or written.
    """
    known = method(name)
    learned_from = read(base) if base is not None else None
    if learned_from is not None:
        trainsets = [
            replace(trainset, samples=read_as_learned(learned_from.metadata, trainset.samples))
            for trainset in trainsets
        ]
    content = hashlib.sha256(base.read_bytes()).hexdigest() if base is not None else None
    request = describe(trainsets, replace(context, base=content))
    request |= member_files(name, settings)
    checkpoint = _checkpoint(path, name, settings, request)
    context = replace(context, base=content, checkpoint=checkpoint)
    stored = read(path) if path.exists() else None
    if stored is not None:
        finished = _refuse_other_fit(stored, name, settings, request)
        if finished and stored.typed_settings() == settings:
            return False
    if stored is not None and known.continues:
        model = stored.open(context, settings)
    elif learned_from is not None:
        model = continued(learned_from, name, settings, context, request)
    else:
        model = Model.new(name, settings, context)
        model.metadata["fits"] = [{**request, "finished": False}]
    samples = [sample for trainset in trainsets for sample in trainset.samples]
    record_depth(model.metadata, samples, is_first=base is None)
    learned = not known.continues

    def save() -> None:
        nonlocal learned
        learned = True
        model.record_pretrained()
        model.thresholds.clear()
        model.calibration.clear()
        model.save(path)

    context.save = save
    model.detector.fit(trainsets)
    if learned:
        model.metadata["fits"][-1]["finished"] = True
        save()
    shutil.rmtree(checkpoint, ignore_errors=True)
    return learned


def continued(base: Stored, name: str, settings: Any, context: Context, request: Metadata) -> Model:
    """Return the model of a file, about to learn from other pictures.

    Raises:
        InputError: it is of another method, or of one that does not continue.
    """
    if base.method != name:
        raise InputError(f"{base.path}: is a model of {base.method}, not of {name}")
    if not method(name).continues:
        raise InputError(f"{base.path}: a model of {name} cannot be continued with other pictures")
    model = base.open(context, settings)
    model.metadata["fits"] = [*model.metadata.get("fits", []), {**request, "finished": False}]
    return model


def _checkpoint(path: Path, name: str, settings: Any, request: Metadata) -> Path:
    """Return the folder for the state of an unfinished fit.

    Raises:
        InputError: there is one of another fit to the same file.
    """
    whole = json.dumps([name, plain(settings), request], sort_keys=True)
    digest = hashlib.sha256(whole.encode()).hexdigest()[:16]
    checkpoint = path.with_name(f".{path.stem}.{digest}.checkpoint")
    for other in sorted(path.parent.glob(f".{path.stem}.*.checkpoint")):
        if other != checkpoint:
            raise InputError(f"{other}: is of another fit; remove it or choose another --out")
    return checkpoint


def _refuse_other_fit(stored: Stored, name: str, settings: Any, request: Metadata) -> bool:
    """Return whether a file's fit is finished; raise InputError if it is another fit."""
    fits = [] if stored.metadata.get("forgotten") else stored.metadata.get("fits", [])
    last = {key: value for key, value in fits[-1].items() if key != "finished"} if fits else None
    if stored.method == name and last == request:
        before, now = plain(stored.typed_settings()), plain(settings)
        changed = {key for key in now if now[key] != before[key]}
        if changed <= set(method(name).extended_by):
            return bool(fits[-1]["finished"])
    raise InputError(f"{stored.path}: is of another fit; remove it or choose another --out")
