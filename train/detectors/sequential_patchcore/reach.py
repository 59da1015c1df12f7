"""How far the members of a coreset reach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from stainless.errors import InputError
from train.detectors.covering import Radius
from train.detectors.sequential_patchcore.coreset import Coreset

MEANING = "d_m, the distance of the two closest members: a patch within it is turned away"

MELDED = "the largest d_m, the distance of the two closest members, of it and what it is melded of"


def reach(coreset: Coreset) -> Radius:
    """Return d_m, within which a full coreset turns patches away since it stands for them already.

    Source: arXiv 2501.09579, section IV. After an epoch without replacement no patch that was shown
    lies farther than that. Melding shows members only: where there is room for all, they lie as
    close as those of different plants happen to, but stand for as much as before. What a melded
    coreset reaches is therefore the largest d_m of its own and of those that it was melded of.

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
    sources = _separations(coreset.history)
    return Radius(
        max([coreset.separation, *sources]),
        MELDED if sources else MEANING,
        _covering(coreset),
        caution,
    )


def _separations(history: Sequence[dict[str, Any]]) -> list[float]:
    """Return the last d_m of each coreset that another was melded of, and of theirs."""
    found = []
    for event in history:
        for source in event.get("sources", []) if event["event"] == "meld" else []:
            below = source["history"]
            passes = [each for known in below for each in known.get("passes", [known])]
            own = [float(each["separation"]) for each in passes if "separation" in each]
            found += [*own[-1:], *_separations(below)]
    return [value for value in found if math.isfinite(value)]


def _covering(coreset: Coreset) -> float | None:
    """Return the covering radius that the last epoch recorded, if it changed nothing."""
    last = coreset.history[-1] if coreset.history else {}
    if last.get("event") != "epoch" or last["added"] or last["replacements"]:
        return None
    value = float(last["farthest"])
    return value if math.isfinite(value) else None
