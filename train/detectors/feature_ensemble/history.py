"""The epochs that an ensemble of features remembers, and what the numbers of its steps are."""

from __future__ import annotations

from dataclasses import replace

from train.detectors.detector import Metadata
from train.detectors.epochs import history as epochs
from train.detectors.history import History, Quantity

TITLES = {
    "loss": "Loss",
    "auroc": "AUROC, nominal against noisy",
    "nominal": "Share of nominal features told",
    "noisy": "Share of noisy features told",
}


def history(state: Metadata) -> History:
    """Return the epochs of the training in a state."""
    found = epochs(state)
    titled = {name: Quantity(TITLES[name]) for name in TITLES if name in found.quantities}
    return replace(found, quantities=titled)
