"""The jobs of an experiment in the test's own process, written down as they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from train.experiments import pool
from train.experiments.experiment import MethodEntry
from train.experiments.fits import Fit


class Inline:
    """Takes the place of `pool.run`; `done` are names of functions and of their methods."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def __call__(self, jobs: Sequence[pool.Job], count: int, title: str) -> list[Any]:
        for work, given in jobs:
            method = given[0].method if isinstance(given[0], Fit) else given[0]
            self.done.append(
                f"{work.__name__} {method.name}"
                if isinstance(method, MethodEntry)
                else work.__name__
            )
        threads = torch.get_num_threads()
        # As in the processes of a pool.
        torch.set_num_threads(1)
        try:
            return [work(*given) for work, given in jobs]
        finally:
            torch.set_num_threads(threads)

    def taken(self) -> list[str]:
        """Return what was done since the last call, each once, sorted."""
        done, self.done = sorted(set(self.done)), []
        return done
