"""What a method takes: steps over published ones, time, memory; and why one is absent."""

from __future__ import annotations

from typing import Any

from stainless.errors import InputError
from train.detectors.detector import Context, method
from train.detectors.model_file import Model, read
from train.experiments.experiment import Finished, MethodEntry, learned_from
from train.experiments.logical.methods import Scenario


def gather(finished: Finished) -> dict[str, dict[str, Any]]:
    """Return by method what its model and its scores took, of the first repeat.

    Returns:
        "steps" and "published_steps" (None for a method that takes none), "pictures" that were
        learned from, "fit_seconds" and "fit_cpu_seconds", "score_cpu_seconds" a picture,
        "peak_mb" of the process, libraries included, while fitting and while scoring.
    """
    found = {}
    for entry in finished.methods:
        trainsets = learned_from(entry, finished.pictures)
        pictures = sum(len(trainset.samples) for trainset in trainsets)
        cost, scoring = finished.costs[entry.name], finished.figures[entry.name][0]["scoring"]
        steps, published = _steps(finished, entry, pictures)
        found[entry.name] = {
            "steps": steps,
            "published_steps": published,
            "pictures": pictures,
            "fit_seconds": cost["seconds"],
            "fit_cpu_seconds": cost["cpu_seconds"],
            "score_cpu_seconds": scoring["cpu_seconds"] / max(scoring["pictures"], 1),
            "peak_mb": [cost["peak_memory_mb"], scoring["peak_memory_mb"]],
        }
    return found


def _steps(finished: Finished, entry: MethodEntry, pictures: int) -> tuple[int | None, int | None]:
    """Return how many steps of an optimiser a method took, and how many are published."""
    state = read(finished.models[entry.name]).state
    learned = state.get("learned") or state
    steps = learned.get("steps")
    if steps is None:
        return None, None
    published = learned.get("published_steps")
    if published is None:
        published = method(entry.detector).settings().steps_of(pictures)
    return int(steps), int(published)


def why_absent(scenario: Scenario) -> str:
    """Return why a method of the survey is not run, in the method's own words."""
    try:
        Model.new(scenario.method, method(scenario.method).settings(), Context())
    except InputError as error:
        return str(error).removeprefix(f"{scenario.method}: ")
    return "a member of it is not run"
