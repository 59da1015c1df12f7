"""A coreset without what it knows of the pictures that its members were seen on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stainless.errors import InputError
from train.detectors.sequential_patchcore.coreset import Coreset

#: Of an event in the history, what is said of how well was learned.
KEPT = {
    "epoch": (
        "number",
        "patches",
        "members",
        "added",
        "replacements",
        "separation",
        "farthest",
    ),
    "fit": (),
    "forget": ("members", "hinged"),
    "meld": ("passes", "converged"),
}


def stripped(coreset: Coreset) -> Coreset:
    """Return a coreset of the same members that does not know where they were seen.

    It goes on learning and melding as the other would, but cannot forget classes any more, since
    none is known; the given one stays as it is.

    Raises:
        InputError: members are weighed by their classes, so that distances depend on these.
    """
    if coreset.notes.weights:
        named = ", ".join(coreset.notes.weights)
        raise InputError(
            f"weighs members by their class ({named}), expected a model without weights: "
            f"`stainless members --weigh {next(iter(coreset.notes.weights))}=1` ends one"
        )
    arrays, state = coreset.state()
    arrays = {name: arrays[name] for name in ("members", "order", "provenance")}
    arrays["provenance"] = arrays["provenance"] * 0 - 1
    kept: dict[str, Any] = {key: state[key] for key in ("size", "dimension", "identity")}
    kept |= {"sources": [], "history": _events(state["history"])}
    return Coreset.from_state(arrays, kept, device=coreset.device)


def _events(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the history as numbers."""
    found = []
    for event in history:
        if event["event"] not in KEPT:
            continue
        kept = {key: event[key] for key in ("event", *KEPT[event["event"]]) if key in event}
        if event["event"] == "fit":
            # Equal to no request, so that no fit takes itself for a continuation of this one.
            kept["request"] = {}
        if event["event"] == "meld":
            kept["sources"] = [
                {"members": source["members"], "history": _events(source["history"])}
                for source in event["sources"]
            ]
        found.append(kept)
    return found
