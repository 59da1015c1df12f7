"""Methods that learn by gradient: batches of windows of nominal pictures, step by step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from tqdm import tqdm

from stainless.dataset import Sample
from train.detectors.anomalib.detector import Adapter, Limit, Network
from train.detectors.anomalib.pictures import Reader
from train.detectors.detector import Metadata

S = TypeVar("S", bound=Any)

#: With what its learning rate is changed after each step, if at all.
Optimiser = tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler | None]


class Trained(Adapter[S]):
    """A method whose network is trained."""

    #: Height and width in pixels that a step takes of each picture, before it is padded.
    window: tuple[int, int]

    def split(self, samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
        """Return the pictures to train with, and those to finish with."""
        return list(samples), []

    @abstractmethod
    def start(self, model: Network, samples: Sequence[Sample], read: Reader) -> None:
        """Measure what the training needs to know."""

    def finish(self, model: Network, samples: Sequence[Sample], read: Reader) -> None:
        """Measure what scoring needs to know; the network no longer changes."""

    @abstractmethod
    def optimisers(self, model: Network, total: int, per_epoch: int) -> list[Optimiser]:
        """Return the optimisers, each with its schedule.

        Args:
            model: the network.
            total: steps that the training will take.
            per_epoch: steps of a pass over the pictures.
        """

    def loss(self, model: Network, batch: Tensor, step: int) -> Tensor:
        """Return the loss of a (B, 3, h, w) batch."""
        raise NotImplementedError

    def limit_gradient(self, model: Network) -> None:
        """Clip the gradients, where anomalib does."""

    def update(
        self, model: Network, optimisers: Sequence[Optimiser], batch: Tensor, step: int
    ) -> float:
        """Do one step; return its loss."""
        loss = self.loss(model, batch, step)
        for optimiser, _ in optimisers:
            optimiser.zero_grad()
        loss.backward()
        self.limit_gradient(model)
        for optimiser, _ in optimisers:
            optimiser.step()
        return float(loss.detach())

    def whole(self, picture: Tensor) -> Tensor:
        """Return of a picture what windows are taken from."""
        return picture

    def common_window(self, samples: Sequence[Sample], read: Reader) -> tuple[int, int]:
        """Return height and width that a step can take of each picture."""
        shapes = [read.shape(sample) for sample in samples]
        height, width = (min(sizes) for sizes in zip(*shapes, strict=True))
        if self.settings.window is not None:
            height = width = min(self.settings.window, height, width)
        return height, width

    def learn(self, model: Network, samples: Sequence[Sample], read: Reader) -> Metadata:
        """Train, as far as steps and time allow."""
        learned, held = self.split(samples)
        self.window = self.common_window(learned, read)
        self.start(model, learned, read)
        per_epoch = -(-len(learned) // self.settings.batch)
        published = planned(type(self.settings)(), per_epoch)
        total = planned(self.settings, per_epoch)
        optimisers = self.optimisers(model, total, per_epoch)
        model.train()
        limit, done, seen, queue = Limit(self.settings.minutes), 0, 0, list[int]()
        for step in tqdm(range(total), desc=self.NAME, unit="step", disable=None):
            while len(queue) < self.settings.batch:
                queue += torch.randperm(len(learned)).tolist()
            chosen, queue = queue[: self.settings.batch], queue[self.settings.batch :]
            windows = []
            for index in chosen:
                picture = self.whole(read(learned[index], index, seen // len(learned)))
                windows.append(random_window(picture, *self.window))
                seen += 1
            batch = self.preparation.padded(torch.cat(windows))
            self.update(model, optimisers, batch, step)
            for _, schedule in optimisers:
                if schedule is not None:
                    schedule.step()
            done = step + 1
            if limit.reached:
                break
        model.eval()
        self.finish(model, held, read)
        self.context.report(f"{self.NAME}: reached {done} of {published} published steps")
        return {"steps": done, "published_steps": published}


def planned(settings: Any, per_epoch: int) -> int:
    """Return how many steps settings ask for."""
    if not hasattr(settings, "epochs"):
        return settings.steps
    steps = settings.epochs * per_epoch
    return steps if settings.steps is None else min(steps, settings.steps)


def random_window(picture: Tensor, height: int, width: int) -> Tensor:
    """Return a random (1, 3, height, width) window of (1, 3, H, W)."""
    rows, columns = picture.shape[-2:]
    top = int(torch.randint(rows - height + 1, (1,)))
    left = int(torch.randint(columns - width + 1, (1,)))
    return picture[..., top : top + height, left : left + width]


def clip(module: nn.Module, norm: float) -> None:
    """Scale gradients down until their norm is no larger."""
    nn.utils.clip_grad_norm_(module.parameters(), norm)
