"""Methods that learn by gradient: windows of nominal pictures, a batch a step.

anomalib draws all that a training draws from one stream, the global generators; so it is here. The
stream, and which pictures it has chosen, belongs to what a checkpoint keeps.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from stainless.dataset import Sample
from train.detectors.anomalib.detector import Adapter, Network
from train.detectors.anomalib.pictures import Reader
from train.detectors.detector import Metadata
from train.training.loop import Update, train
from train.training.settings import Training

S = TypeVar("S", bound=Any)


class Trained(Adapter[S]):
    """A method whose network is trained."""

    #: Largest norm of a gradient, where anomalib's trainer clips it.
    CLIP: float | None = None

    #: anomalib's loss, made with the network, where it has one.
    criterion: Any

    #: Height and width in pixels that a step takes of each picture, before it is padded.
    window: tuple[int, int]

    def split(self, samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
        """Return the pictures to train with, and those to finish with."""
        return list(samples), []

    def start(self, model: Network, samples: Sequence[Sample], read: Reader) -> None:
        """Measure what the training needs to know, if anything."""

    @abstractmethod
    def optimisers(self, model: Network) -> dict[str, torch.optim.Optimizer]:
        """Return anomalib's optimisers."""

    def rate(self, start: float, step: int, total: int, per_epoch: int) -> float:
        """Return a learning rate for a step.

        Args:
            start: what the optimiser was made with.
            step: counted from 0.
            total: steps that the training will take.
            per_epoch: steps of a pass over the pictures.
        """
        del step, total, per_epoch
        return start

    def update(
        self, model: Network, batch: Tensor, step: int, update: Update
    ) -> Mapping[str, Tensor]:
        """Learn from a (B, 3, h, w) batch, here from anomalib's loss; return the losses by name."""
        loss = self.criterion(*model(batch))
        update(loss)
        return {"loss": loss}

    def finish(self, model: Network, samples: Sequence[Sample], read: Reader) -> None:
        """Measure what scoring needs to know, if anything; the network no longer changes."""

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
        length = planned(self.settings, self.CLIP)
        task = _Task(self, model, learned, read, length)
        model.train()
        result = train(
            task,
            len(learned),
            length,
            self.context.seed,
            identity={
                "method": self.NAME,
                "settings": {k: v for k, v in asdict(self.settings).items() if k != "minutes"},
                "pictures": [f"{sample.name} {sample.stamp()}" for sample in learned],
                "weights": self.identity(model),
            },
            folder=self.context.checkpoint,
            log=self.context.log,
            report=self.context.report,
            title=self.NAME,
        )
        model.eval()
        self.finish(model, held, read)
        published = planned(type(self.settings)(), self.CLIP).steps_of(len(learned))
        line = f"{self.NAME}: reached {result.steps} of {published} published steps"
        if result.ended == "time":
            line += f", where {self.settings.minutes:g} minutes were over"
        self.context.report(line)
        return {"published_steps": published, **result.metadata()}


class _Task:
    """A method's training, as the training loop takes it."""

    def __init__(
        self,
        method: Trained[Any],
        model: Network,
        samples: Sequence[Sample],
        read: Reader,
        length: Training,
    ) -> None:
        self.method, self.model, self.samples, self.read = method, model, samples, read
        self.optimisers = method.optimisers(model)
        self.starts = {
            name: [group["lr"] for group in optimiser.param_groups]
            for name, optimiser in self.optimisers.items()
        }
        self.batch, self.total = length.batch, length.steps_of(len(samples))
        self.per_epoch = length.steps_an_epoch(len(samples))
        self.draws = _Draws()
        self.modules: dict[str, nn.Module] = {
            name: child for name, child in model.named_children() if not method.is_frozen(name)
        }
        self.modules["draws"] = self.draws

    def step(self, items: Sequence[int], epoch: int, update: Update) -> Mapping[str, Any]:
        """Learn from the next pictures of the stream, whatever the loop would choose."""
        del items, epoch
        draws, count = self.draws, len(self.samples)
        with draws.used():
            while len(draws.queue) < self.batch:
                draws.queue += torch.randperm(count).tolist()
            chosen, draws.queue = draws.queue[: self.batch], draws.queue[self.batch :]
            windows = []
            for place, index in enumerate(chosen, draws.step * self.batch):
                picture = self.method.whole(self.read(self.samples[index], index, place // count))
                windows.append(random_window(picture, *self.method.window))
            batch = self.method.preparation.padded(torch.cat(windows))
            for name, optimiser in self.optimisers.items():
                for group, start in zip(optimiser.param_groups, self.starts[name], strict=True):
                    group["lr"] = self.method.rate(start, draws.step, self.total, self.per_epoch)
            losses = self.method.update(self.model, batch, draws.step, update)
        draws.step += 1
        return {name: loss.detach() for name, loss in losses.items()}


class _Draws(nn.Module):
    """The one stream that a training draws from; belongs to its state.

    Attributes:
        queue: pictures that are chosen and not yet shown.
        step: steps taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.queue: list[int] = []
        self.step = 0
        self._generators = _generators()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Let the global generators go on where this stream stopped."""
        _set_generators(self._generators)
        yield
        self._generators = _generators()

    def get_extra_state(self) -> dict[str, Any]:
        """Return all of it, for `state_dict`."""
        return {"queue": list(self.queue), "step": self.step, "generators": self._generators}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_extra_state` returned."""
        self.queue, self.step = list(state["queue"]), state["step"]
        self._generators = state["generators"]


def _generators() -> list[Tensor]:
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return [torch.random.get_rng_state(), *devices]


def _set_generators(states: Sequence[Tensor]) -> None:
    torch.random.set_rng_state(states[0])
    if states[1:]:
        torch.cuda.set_rng_state_all(list(states[1:]))


def planned(settings: Any, clip: float | None) -> Training:
    """Return how long settings ask to train; those without epochs are counted in steps."""
    epochs = getattr(settings, "epochs", settings.steps)
    return Training(
        epochs=epochs,
        steps=settings.steps,
        minutes=settings.minutes,
        batch=settings.batch,
        clip=clip,
    )


def random_window(picture: Tensor, height: int, width: int) -> Tensor:
    """Return a random (1, 3, height, width) window of (1, 3, H, W)."""
    rows, columns = picture.shape[-2:]
    top = int(torch.randint(rows - height + 1, (1,)))
    left = int(torch.randint(columns - width + 1, (1,)))
    return picture[..., top : top + height, left : left + width]
