"""The training loop: what is learned, and when it ends, however often it was interrupted.

All randomness is a function of the seed, the epoch and the step: the order of the pictures has a
stream of its own, and the global generators that networks draw from are seeded for each step and
put back at the end. So the state of a training is its weights, its optimisers and where it is.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from stainless.errors import InputError
from train.seeding import reseed, seeded
from train.training import checkpoint
from train.training.log import Log
from train.training.schedules import scheduler
from train.training.settings import Training

#: Seconds between two checkpoints within an epoch; writing one costs.
CHECKPOINT_SECONDS = 20.0


class Stream(IntEnum):
    """What random numbers are drawn for. Append, never renumber."""

    ORDER = 0
    STEP = 1


class Update(Protocol):
    """What a step calls to learn from a loss."""

    def __call__(self, loss: Tensor, *optimisers: str) -> None:
        """Let optimisers, all if none is named, take a step down the gradient of a loss."""


class Task(Protocol):
    """What is learned: networks, optimisers, and one step of theirs."""

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """Networks whose state changes, in training mode."""

    @property
    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One or several, each with parameters of its own."""

    def step(self, items: Sequence[int], epoch: int, update: Update) -> Mapping[str, Any]:
        """Learn from a batch.

        Args:
            items: numbers of the pictures.
            epoch: counted from 0, for what is drawn anew in every epoch.
            update: to be called for each loss.

        Returns:
            Numbers to show and log.
        """


@dataclass(frozen=True)
class Result:
    """How a training went.

    Attributes:
        steps: taken.
        epochs: begun.
        seconds: spent, those of interrupted runs included.
        ended: "finished", "early" without a better figure, "time" or "diverged".
        means: mean of each number that the steps returned, an entry an epoch.
        figures: the figure after each epoch, where there is one.
        best: epoch, counted from 0, whose weights were kept; None for the last.
    """

    steps: int
    epochs: int
    seconds: float
    ended: str
    means: list[dict[str, float]]
    figures: list[float]
    best: int | None

    def metadata(self) -> dict[str, Any]:
        """Return what a model file keeps of it, JSON-able."""
        last = self.means[-1] if self.means else {}
        return {
            "steps": self.steps,
            "epochs": self.epochs,
            "ended": self.ended,
            "best_epoch": self.best,
            "last": last,
            "means": self.means,
        }


class _Diverged(Exception):
    """A loss is not finite."""


def train(
    task: Task,
    items: int,
    settings: Training,
    seed: int,
    *,
    identity: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    figure: Callable[[], float] | None = None,
    patience: int | None = None,
    log: Path | None = None,
    report: Callable[[str], None] = print,
    title: str = "learning",
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Result:
    """Train the networks of a task in place.

    Args:
        task: what is learned.
        items: how many pictures there are.
        settings: how long and how fast.
        seed: of all that is drawn.
        identity: JSON-able, what the result depends on beside settings and seed, such as which
            pictures; a checkpoint of any other is not used.
        folder: of the checkpoint; None keeps none.
        figure: measured after each epoch, lower is better: the weights of the best epoch are kept.
            None keeps the last weights.
        patience: epochs without a better figure after which learning ends; None for any number.
        log: folder for TensorBoard; None for none.
        report: receives a line about what does not go as planned.
        title: in front of the progress bar.
        checkpoint_seconds: between checkpoints within an epoch.

    Raises:
        InputError: nothing to learn from, or learning diverged before an epoch was complete.
        OSError: the checkpoint cannot be written.
    """
    if items < 1:
        raise InputError("there are no pictures to learn from")
    run = _Run(task, items, settings, seed, identity or {}, folder, figure, patience, report)
    if run.resume():
        report(f"{title}: continues after step {run.step}")
    saved = time.monotonic()
    bar = tqdm(total=run.total, initial=run.step, desc=title, unit="step", disable=None)
    with bar, Log(log, run.step) as scalars, seeded(seed):
        while not run.ended:
            numbers = run.take_step()
            bar.set_postfix({k: f"{v:.3g}" for k, v in numbers.items()}, refresh=False)
            bar.update(run.step - bar.n)
            scalars.write(run.step, "step", numbers)
            scalars.write(run.step, "rate", run.rates())
            if run.at_epoch_end and run.figures:
                scalars.write(run.step, "epoch", {"figure": run.figures[-1]})
            due = run.ended or run.at_epoch_end or time.monotonic() - saved >= checkpoint_seconds
            if folder is not None and due:
                run.save()
                saved = time.monotonic()
    return run.finish()


class _Run:
    """A training under way."""

    def __init__(
        self,
        task: Task,
        items: int,
        settings: Training,
        seed: int,
        identity: Mapping[str, Any],
        folder: Path | None,
        figure: Callable[[], float] | None,
        patience: int | None,
        report: Callable[[str], None],
    ) -> None:
        self.task, self.items, self.settings, self.seed = task, items, settings, seed
        self.folder, self.figure, self.patience, self.report = folder, figure, patience, report
        self.epoch_steps = settings.steps_an_epoch(items)
        self.total = settings.steps_of(items)
        # A clock decides when learning ends, not how it goes.
        asked = {key: value for key, value in asdict(settings).items() if key != "minutes"}
        self.identity = {
            **identity,
            "items": items,
            "seed": seed,
            "settings": asked,
            "patience": patience,
        }
        self.schedulers = {
            name: scheduler(optimiser, settings, items)
            for name, optimiser in task.optimisers.items()
        }
        self.step, self.ended = 0, ""
        self.sums: dict[str, float] = {}
        self.means: list[dict[str, float]] = []
        self.figures: list[float] = []
        self.best: int | None = None
        self.kept: dict[str, Any] | None = None
        self._spent, self._started = 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        return self._spent + time.monotonic() - self._started

    @property
    def at_epoch_end(self) -> bool:
        return self.step % self.epoch_steps == 0 or self.step == self.total

    @property
    def is_over_time(self) -> bool:
        minutes = self.settings.minutes
        return minutes is not None and self.seconds >= minutes * 60

    def take_step(self) -> dict[str, float]:
        """Take a step and, at an epoch's end, do what follows; return its numbers."""
        epoch, place = divmod(self.step, self.epoch_steps)
        order = _generator(self.seed, Stream.ORDER, epoch).permutation(self.items)
        batch = order[place * self.settings.batch : (place + 1) * self.settings.batch].tolist()
        reseed(int(_generator(self.seed, Stream.STEP, self.step).integers(2**31)))
        try:
            returned = self.task.step(batch, epoch, self.update)
        except _Diverged as error:
            self._give_up(str(error))
            return {}
        numbers = {name: float(value) for name, value in returned.items()}
        for schedule in self.schedulers.values():
            schedule.step()
        for name, number in numbers.items():
            self.sums[name] = self.sums.get(name, 0.0) + number
        self.step += 1
        if self.at_epoch_end:
            self._end_epoch(place + 1)
        if self.step == self.total:
            self.ended = self.ended or "finished"
        elif self.is_over_time:
            self.ended = self.ended or "time"
        return numbers

    def update(self, loss: Tensor, *optimisers: str) -> None:
        """Let optimisers take a step down the gradient of a loss, as `Update` says."""
        if not bool(torch.isfinite(loss)):
            raise _Diverged(f"the loss is {loss.item()}")
        chosen = [self.task.optimisers[name] for name in optimisers or self.task.optimisers]
        for optimiser in chosen:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self.settings.clip is not None:
            groups = [group["params"] for optimiser in chosen for group in optimiser.param_groups]
            parameters = [parameter for group in groups for parameter in group]
            torch.nn.utils.clip_grad_norm_(parameters, self.settings.clip)
        for optimiser in chosen:
            optimiser.step()

    def _end_epoch(self, steps: int) -> None:
        self.means.append({name: total / steps for name, total in self.sums.items()})
        self.sums = {}
        if self.figure is not None:
            value = float(self.figure())
            self.figures.append(value)
            if self.best is not None and not value < self.figures[self.best]:
                waited = len(self.figures) - 1 - self.best
                if self.patience is not None and waited >= self.patience:
                    self.ended = "early"
                return
            self.best = len(self.figures) - 1
        self.kept = copy.deepcopy({k: m.state_dict() for k, m in self.task.modules.items()})

    def _give_up(self, reason: str) -> None:
        """End with the weights that were kept, since those of now are of no use."""
        where = f"learning diverged at step {self.step + 1}: {reason}"
        if self.kept is None:
            raise InputError(f"{where}, expected a finite one; smaller learning rates may help")
        self.best = len(self.means) - 1 if self.best is None else self.best
        self.report(f"{where}; the weights after epoch {self.best + 1} are kept")
        self.ended = "diverged"

    def _load_modules(self, states: Mapping[str, Any]) -> None:
        for name, module in self.task.modules.items():
            module.load_state_dict(states[name])

    def rates(self) -> dict[str, float]:
        """Return the learning rates of the next step by optimiser and group."""
        return {
            f"{name}.{number}": float(group["lr"])
            for name, optimiser in self.task.optimisers.items()
            for number, group in enumerate(optimiser.param_groups)
        }

    def save(self) -> None:
        """Write a checkpoint."""
        assert self.folder is not None
        places = ("step", "ended", "sums", "means", "figures", "best", "kept")
        state = {
            **{name: getattr(self, name) for name in places},
            "seconds": self.seconds,
            "modules": {k: m.state_dict() for k, m in self.task.modules.items()},
            "optimisers": {k: o.state_dict() for k, o in self.task.optimisers.items()},
            "schedulers": {k: s.state_dict() for k, s in self.schedulers.items()},
        }
        checkpoint.save(self.folder, self.identity, state)

    def resume(self) -> bool:
        """Go to where the checkpoint was written; return whether there is one of this training."""
        state = None if self.folder is None else checkpoint.load(self.folder, self.identity)
        if state is None:
            return False
        self._load_modules(state["modules"])
        for name, optimiser in self.task.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
            self.schedulers[name].load_state_dict(state["schedulers"][name])
        for name in ("step", "ended", "sums", "means", "figures", "best", "kept"):
            setattr(self, name, state[name])
        self._spent = state["seconds"]
        if self.ended == "time" and not self.is_over_time:
            self.ended = ""
        return True

    def finish(self) -> Result:
        """Leave the best weights in the networks; return how it went."""
        if self.kept is not None and self.best is not None:
            self._load_modules(self.kept)
        epochs = -(-self.step // self.epoch_steps)
        return Result(
            self.step, epochs, self.seconds, self.ended, self.means, self.figures, self.best
        )


def _generator(seed: int, stream: Stream, number: int) -> np.random.Generator:
    sequence = np.random.SeedSequence(seed, spawn_key=(int(stream), number))
    return np.random.default_rng(sequence)
