"""A measurement batch by batch: design, render, score, until the curves are known well enough.

What is there is used again: a batch that was designed stays as it is, rendered pictures and scores
of the same model too. An interrupted run ends as one that was not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stainless.errors import InputError
from stainless.files import write_json
from train.detectors.detector import Context
from train.detectors.model_file import Model
from train.pod import batches
from train.pod.design import Trial, design, plates_of
from train.pod.responses import Inspector, Response, open_model, outcomes, score_batch
from train.pod.rows import Row, precise, rows
from train.pod.settings import Settings

#: Rises when the same picture would be scored otherwise.
VERSION = 1


@dataclass(frozen=True)
class Measured:
    """What came out.

    Attributes:
        inspectors: the detectors.
        responses: what became of the trials, of each detector.
        rows: the curves.
        batches: how many were needed.
        plates: how many plates they have; each is rendered without and with its flaws.
        precise: whether the precision that was asked for is reached.
    """

    inspectors: Sequence[Inspector]
    responses: Sequence[Sequence[Response]]
    rows: Sequence[Row]
    batches: int
    plates: int
    precise: bool


def run(
    settings: Settings,
    inspectors: Sequence[Inspector],
    context: Context,
    tell: Callable[[str], None] = lambda line: None,
) -> Measured:
    """Measure detectors.

    Args:
        settings: of the measurement.
        inspectors: the detectors; the renders serve all of them.
        context: for the models.
        tell: receives a line after each batch.

    Raises:
        InputError: models, data or scene that cannot be used.
        SystemExit: the generator refuses the scene, in its own line.
    """
    models = [open_model(known, context) for known in inspectors]
    batches.check_data(settings)
    responses: list[list[Response]] = [[] for _ in inspectors]
    number, count = 0, 0
    found: list[Row] = []
    while plates_of(settings, number):
        trials = batches.read_scene(settings, number)
        if trials is None:
            trials = design(settings, number, outcomes(settings, inspectors, responses))
            batches.write_scene(settings, number, trials)
        root = batches.render(settings, number)
        for known, model, of_inspector in zip(inspectors, models, responses, strict=True):
            of_inspector += _responses(settings, known, model, number, trials, root)
        count += max(trial.plate for trial in trials) + 1
        number += 1
        found = [
            row
            for known, of_inspector in zip(inspectors, responses, strict=True)
            for row in rows(settings, known, of_inspector)
        ]
        tell(_progress(settings, number, count, found))
        if precise(found, settings.precision):
            break
    return Measured(inspectors, responses, found, number, count, precise(found, settings.precision))


def _progress(settings: Settings, batch: int, count: int, found: Sequence[Row]) -> str:
    waited = [row for row in found if row.waited_for]
    known = [row.excess for row in waited if row.excess is not None]
    worst = f"a90/95 at most {100 * max(known):.0f} % above a90" if known else "no curve yet"
    missing = f", {len(waited) - len(known)} without a curve" if len(known) < len(waited) else ""
    return f"batch {batch}, {count} of {settings.plates} plates: {worst}{missing}"


def _responses(
    settings: Settings,
    known: Inspector,
    model: Model,
    batch: int,
    trials: Sequence[Trial],
    root: Path,
) -> list[Response]:
    """Return what became of a batch, scored now or before."""
    path = Path(settings.out) / "scores" / known.name / f"batch_{batch:02d}.json"
    key = [
        VERSION,
        _hash(known.model),
        _hash(batches.scene_file(settings, batch)),
        str(root),
        settings.reach_px,
        settings.near_px,
    ]
    if path.is_file():
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["key"] == key:
                return [Response.from_json(value) for value in kept["responses"]]
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{path}: damaged; remove it") from None
    found = score_batch(model, settings, batch, trials, root)
    write_json(path, {"key": key, "responses": [value.to_json() for value in found]})
    return found


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
