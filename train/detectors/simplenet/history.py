"""The epochs that a SimpleNet remembers, and what the numbers of its steps are."""

from __future__ import annotations

from dataclasses import replace

from train.detectors.detector import Metadata
from train.detectors.history import History, Quantity
from train.training.history import history as epochs

TITLES = {
    "loss": "Loss",
    "nominal": "Share of nominal features told",
    "noisy": "Share of noisy features told",
}


def history(state: Metadata) -> History:
    """Return the epochs of the training in a state."""
    found = epochs(state)
    titled = {name: Quantity(TITLES[name]) for name in TITLES if name in found.quantities}
    return replace(found, quantities=titled)
