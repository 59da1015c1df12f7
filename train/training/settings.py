"""How long a network learns, and how its learning rate runs: keys of every method that learns so.

A method's own settings extend `Training`, so that its options are `--NAME.steps` and the like.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from stainless.errors import InputError

Schedule = Literal["none", "cosine", "cosine_restarts", "step"]


@dataclass(frozen=True)
class Training:
    """How long and how fast a network learns.

    Attributes:
        epochs: largest number of passes over the pictures.
        steps: largest number of steps; null for as many as the epochs have.
        minutes: time after which learning ends with what it has; null for no limit. Steps that
            a clock counts are not the same in every run.
        batch: pictures a step.
        schedule: how the learning rates run from their start; cosine to zero at the last step,
            cosine_restarts to zero and back every schedule_epochs, step by schedule_factor every
            schedule_epochs.
        schedule_epochs: as schedule says.
        schedule_factor: as schedule says.
        clip: largest norm of a gradient; null for any.
    """

    epochs: int = 100
    steps: int | None = None
    minutes: float | None = None
    batch: int = 8
    schedule: Schedule = "none"
    schedule_epochs: int = 10
    schedule_factor: float = 0.1
    clip: float | None = None

    def validate(self, key: str = "") -> None:
        """Check every value.

        Args:
            key: what the settings are below, such as the name of the method.

        Raises:
            InputError: a value is out of its range; names its key.
        """
        prefix = key + "." if key else ""
        counts = ("epochs", "steps", "batch", "schedule_epochs")
        for name in (*counts, "minutes", "schedule_factor", "clip"):
            value = getattr(self, name)
            if value is None:
                continue
            if name in counts and value < 1:
                raise InputError(f"{prefix}{name}: {value}, expected at least 1")
            if not (value > 0 and math.isfinite(value)):
                raise InputError(f"{prefix}{name}: {value}, expected a number above 0")

    def steps_of(self, items: int) -> int:
        """Return how many steps learning from so many pictures takes, if no limit ends it before.

        The last step of an epoch takes the pictures that are left.
        """
        steps = self.epochs * self.steps_an_epoch(items)
        return steps if self.steps is None else min(steps, self.steps)

    def steps_an_epoch(self, items: int) -> int:
        """Return how many steps a pass over so many pictures takes."""
        return -(-items // self.batch)
