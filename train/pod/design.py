"""Where flaws are placed and how large: a function of the settings and of what was found so far.

Each plate has one flaw in each cell of a grid, somewhere in the cell. The first batch spreads the
sizes over their whole range; later ones place them, by light zone and level, where they tell most
(`train.pod.sequential`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from train.pod.sequential import next_sizes, spread
from train.pod.settings import Settings


@dataclass(frozen=True)
class Trial:
    """One flaw to be found.

    Attributes:
        plate: number of its plate within the batch.
        cell: which cell of the plate it is in.
        center_mm: (x, y) on the plate.
        size: in the unit of its key.
        level: index of its level.
    """

    plate: int
    cell: int
    center_mm: tuple[float, float]
    size: float
    level: int


@dataclass(frozen=True)
class Outcome:
    """What became of a trial, for the design of the next ones.

    Attributes:
        cell: see `Trial`.
        level: see `Trial`.
        zone: of the light.
        size: of the flaw.
        hits: whether each detector found it; None where it flags the same place without the flaw.
    """

    cell: int
    level: int
    zone: str
    size: float
    hits: tuple[bool | None, ...]


def batch_seed(settings: Settings, batch: int) -> int:
    """Return the seed of a batch's plates."""
    sequence = np.random.SeedSequence(settings.seed, spawn_key=(batch, 0))
    return int(sequence.generate_state(1)[0])


def plates_of(settings: Settings, batch: int) -> int:
    """Return how many plates a batch has; 0 beyond the last one."""
    return max(0, min(settings.batch, settings.plates - batch * settings.batch))


def design(settings: Settings, batch: int, outcomes: Sequence[Outcome]) -> list[Trial]:
    """Return the trials of a batch.

    Args:
        settings: of the measurement.
        batch: its number.
        outcomes: of all batches before it.
    """
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(batch, 1)))
    levels, cells = len(settings.level_values()), settings.grid[0] * settings.grid[1]
    places = [
        (plate, cell, (plate + cell) % levels)
        for plate in range(plates_of(settings, batch))
        for cell in range(cells)
    ]
    zones = _usual_zones(outcomes)
    members: dict[tuple[str, int], list[int]] = {}
    for number, (_, cell, level) in enumerate(places):
        members.setdefault((zones.get(cell, ""), level), []).append(number)
    sizes = np.empty(len(places))
    for (zone, level), numbers in sorted(members.items()):
        sizes[numbers] = _sizes(settings, outcomes, zone, level, len(numbers), rng)
    centers = [_center(settings, cell, rng.random(2)) for _, cell, _ in places]
    return [
        Trial(plate, cell, center, float(f"{size:.6g}"), level)
        for (plate, cell, level), center, size in zip(places, centers, sizes, strict=True)
    ]


def _usual_zones(outcomes: Sequence[Outcome]) -> dict[int, str]:
    """Return the zone that the flaws of each cell were in most often."""
    seen: dict[int, Counter[str]] = {}
    for outcome in outcomes:
        seen.setdefault(outcome.cell, Counter())[outcome.zone] += 1
    return {cell: sorted(counts, key=lambda z: (-counts[z], z))[0] for cell, counts in seen.items()}


def _sizes(
    settings: Settings,
    outcomes: Sequence[Outcome],
    zone: str,
    level: int,
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return sizes for flaws of one zone and level, shared among the detectors."""
    known = [o for o in outcomes if o.zone == zone and o.level == level]
    detectors = len(known[0].hits) if known else 0
    chosen: list[Any] = []
    for detector in range(detectors):
        tried = [(o.size, o.hits[detector]) for o in known if o.hits[detector] is not None]
        share = count // detectors + (detector < count % detectors)
        if tried and share:
            sizes, hits = (np.array(column) for column in zip(*tried, strict=True))
            chosen.append(next_sizes(sizes, hits.astype(bool), settings.limits, share, rng))
    missing = count - sum(map(len, chosen))
    if missing:
        chosen.append(spread(settings.limits, missing, rng))
    return rng.permutation(np.concatenate(chosen))


def _center(settings: Settings, cell: int, uniform: np.ndarray) -> tuple[float, float]:
    """Return a place in a cell that leaves a flaw its room."""
    columns, rows = settings.grid
    row, column = divmod(cell, columns)
    width, height = settings.cell_mm()
    x = (column - (columns - 1) / 2) * width + (uniform[0] - 0.5) * (width - settings.room_mm)
    y = ((rows - 1) / 2 - row) * height + (uniform[1] - 0.5) * (height - settings.room_mm)
    return round(float(x), 4), round(float(y), 4)
