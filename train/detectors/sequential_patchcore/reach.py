"""How far the members of a coreset reach."""

from __future__ import annotations

import math

from stainless.errors import InputError
from train.detectors.covering import Radius
from train.detectors.sequential_patchcore.coreset import Coreset

MEANING = "d_m: distance of the two closest members; the rule turns away every patch within it"


def reach(coreset: Coreset) -> Radius:
    """Return d_m, within which a full coreset turns patches away since it stands for them already.

    Source: arXiv 2501.09579, section IV. After an epoch without replacement no patch that was shown
    lies farther than that. It holds for melded coresets as well, whose covering radius nobody has
    measured, since they were shown members only.

    Raises:
        InputError: fewer than two members.
    """
    if len(coreset) < 2:
        raise InputError(f"has {len(coreset)} members, expected at least 2")
    caution = None
    if len(coreset) < coreset.size:
        caution = (
            f"the coreset has {len(coreset)} members and room for {coreset.size}, so it would "
            "still take any new patch: d_m is a strict measure, consider --radius"
        )
    return Radius(coreset.separation, MEANING, _covering(coreset), caution)


def _covering(coreset: Coreset) -> float | None:
    """Return the covering radius that the last epoch recorded, if it changed nothing."""
    last = coreset.history[-1] if coreset.history else {}
    if last.get("event") != "epoch" or last["added"] or last["replacements"]:
        return None
    value = float(last["farthest"])
    return value if math.isfinite(value) else None
