"""Coreset files of before there was one file for all methods, read as models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stainless.errors import InputError
from train.detectors.model_file import Stored
from train.detectors.sequential_patchcore import coreset_file
from train.detectors.sequential_patchcore.settings import FEATURES


def stored(path: Path) -> Stored:
    """Return what a coreset file holds, as a model file would.

    Raises:
        InputError: truncated, altered, or of features that this program has not.
        OSError: the file cannot be read.
    """
    arrays, state = coreset_file.read(path)
    try:
        settings = {key: state["identity"][key] for key in FEATURES}
    except KeyError as missing:
        raise InputError(f"{path}: does not say its {missing}, so it is no model") from None
    history = state["history"]
    starts = [number for number, event in enumerate(history) if event["event"] == "fit"]
    settings["size"] = state["size"]
    if starts:
        epochs = sum(event["event"] == "epoch" for event in history[starts[-1] :])
        settings["epochs"] = max(epochs, 1)
    fits = [{**history[start]["request"], "finished": False} for start in starts]
    threshold = _threshold(history)
    return Stored(
        path=path,
        method="sequential_patchcore",
        settings=settings,
        arrays=arrays,
        state=state,
        metadata={"fits": fits} if fits else {},
        thresholds={} if threshold is None else {"pixel": threshold},
    )


def _threshold(history: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the threshold that was found last, unless the members have changed since."""
    for event in reversed(history):
        if event["event"] == "threshold":
            how = {k: v for k, v in event.items() if k not in ("event", "threshold")}
            return {"value": float(event["threshold"]), "rule": "pixel-f1", **how}
        if event["event"] in ("epoch", "meld"):
            return None
    return None
