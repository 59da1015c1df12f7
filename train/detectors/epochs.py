"""The epochs that a training by gradient remembers."""

from __future__ import annotations

import math

from train.detectors.detector import Metadata
from train.detectors.history import History, Pass, Quantity


def history(state: Metadata) -> History:
    """Return the epochs of the training in a state: the mean of each number that its steps give.

    Args:
        state: of a detector; a training's metadata, see `Result.metadata`, are in it, or below
            "learned".
    """
    epochs = state.get("learned", state).get("means", [])
    names = dict.fromkeys(name for means in epochs for name in means)
    passes = [
        Pass(0, {name: mean if math.isfinite(mean) else None for name, mean in means.items()})
        for means in epochs
    ]
    return History({name: Quantity(name.capitalize()) for name in names}, passes)
