"""The passes over the pictures that a coreset remembers."""

from __future__ import annotations

import math

from train.detectors.detector import Metadata
from train.detectors.history import History, Pass, Quantity

#: "covering_radius" is that in passing, until a pass changes nothing.
QUANTITIES = {
    "replacements": Quantity("Replacements", logarithmic=True),
    "added": Quantity("Members added", logarithmic=True),
    "d_m": Quantity("d_m: distance of closest members"),
    "covering_radius": Quantity("Covering radius"),
}


def history(state: Metadata) -> History:
    """Return the passes that led to the coreset of a state."""
    passes: list[Pass] = []
    fit = -1
    for event in state["history"]:
        if event["event"] in ("fit", "meld"):
            fit += 1
        for epoch in [event] if event["event"] == "epoch" else event.get("passes", []):
            values = {
                "replacements": epoch["replacements"],
                "added": epoch["added"],
                "d_m": _finite(epoch["separation"]),
                "covering_radius": _finite(epoch["farthest"]),
            }
            passes.append(Pass(max(fit, 0), values))
    return History(QUANTITIES, passes)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
