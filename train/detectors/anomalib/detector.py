"""One of anomalib's models as a detector of ours: what all of them share.

A subclass says how its network is built and what it learns from pictures; the rest is here. Frozen
networks do not belong to the state: they are built again from their weights, whose SHA-256 is.
"""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from stainless.dataset import Sample
from stainless.errors import InputError
from train.detectors.anomalib.pictures import Preparation, Reader
from train.detectors.detector import Arrays, Context, Metadata, Score, Trainset
from train.seeding import seeded

S = TypeVar("S", bound=Any)

#: A module of anomalib's, which is not typed.
Network = Any


class Adapter(ABC, Generic[S]):
    """A model of anomalib's, learning from our samples and scoring our pictures.

    Attributes:
        NAME: of the method.
        FROZEN: submodules of the network that come from a weight file.
        model: anomalib's network; None until something is learned.
        learned: what was learned from and how far, JSON-able.
    """

    NAME: ClassVar[str]
    FROZEN: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: S, context: Context) -> None:
        self.settings: S = settings
        self.context = context
        settings.validate(self.NAME)
        if context.accelerator is not None:
            raise InputError(
                f"--accelerator: {context.accelerator}, but {self.NAME} computes with PyTorch alone"
            )
        self.weights = self.weight_file()
        self.preparation = self.prepare()
        self.model: Network | None = None
        self.learned: Metadata = {}

    def weight_file(self) -> Path | None:
        """Return the file with the weights of the frozen network; None if there is no such network.

        Raises:
            InputError: it is not on this machine; says which file to give.
        """
        return None

    @abstractmethod
    def prepare(self) -> Preparation:
        """Return what is done to a picture before the network sees it."""

    @abstractmethod
    def build(self) -> Network:
        """Return anomalib's network, drawing from the global generators.

        Raises:
            InputError: its weights do not fit.
        """

    @abstractmethod
    def learn(self, model: Network, samples: Sequence[Sample], read: Reader) -> Metadata:
        """Let the network learn from nominal pictures; return what is to be known about it."""

    @abstractmethod
    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return the (1, 1, h, w) anomaly map and the value of a padded (1, 3, h, w) picture.

        Either may be None: a method without maps; a value that is the largest of the map.
        """

    def chosen(self, samples: Sequence[Sample]) -> list[Sample]:
        """Return those of all nominal pictures that are learned from."""
        return list(samples)

    def fit(self, trainsets: Sequence[Trainset]) -> None:
        """Learn from nominal pictures; the global generators are left as they were.

        Raises:
            InputError: no picture, or one that cannot be used.
        """
        samples = self.chosen([sample for trainset in trainsets for sample in trainset.samples])
        if not samples:
            raise InputError(f"{self.NAME}: no nominal picture to learn from")
        context = self.context
        read = Reader(self.preparation, context.device, context.augmentation, context.seed)
        if context.shuffle:
            order = np.random.default_rng(np.random.SeedSequence(context.seed, spawn_key=(0,)))
            samples = [samples[place] for place in order.permutation(len(samples))]
        with seeded(context.seed):
            model = self.build().to(context.device)
            self.learned = {"pictures": len(samples), **self.learn(model, samples, read)}
        self.model = model.eval()
        context.save()

    def score(self, images: Sequence[np.ndarray]) -> list[Score]:
        """Score (H, W, 3) uint8 RGB pictures.

        Raises:
            InputError: a picture is too small, or nothing has been learned.
        """
        if self.model is None:
            raise InputError(f"{self.NAME}: has learned nothing yet")
        return [self._score(self.model, image) for image in images]

    def _score(self, model: Network, image: np.ndarray) -> Score:
        with torch.inference_mode(), seeded(self.context.seed):
            resized = self.preparation.resized(image, self.context.device)
            anomaly_map, value = self.anomalies(model, self.preparation.padded(resized))
        if anomaly_map is None:
            return Score(float(value or 0.0), None)
        pixels = self.preparation.own_pixels(anomaly_map, *image.shape[:2])
        return Score(float(pixels.max()) if value is None else value, pixels)

    def is_frozen(self, name: str) -> bool:
        """Return whether a tensor or a submodule comes from a weight file."""
        return name.split(".")[0] in self.FROZEN

    def identity(self, model: Network) -> str | None:
        """Return by what the weights of the frozen network are known again."""
        del model
        if self.weights is None:
            return None
        return hashlib.sha256(self.weights.read_bytes()).hexdigest()

    def state(self) -> tuple[Arrays, Metadata]:
        """Return the learned tensors, and from what they were learned."""
        if self.model is None:
            raise InputError(f"{self.NAME}: has learned nothing yet")
        arrays = {
            name: tensor.detach().cpu().contiguous().numpy()
            for name, tensor in self.model.state_dict().items()
            if not self.is_frozen(name)
        }
        metadata = {"anomalib": version("anomalib"), "weights": self.identity(self.model)}
        metadata.update(self.learned)
        return arrays, metadata

    @classmethod
    def from_state(
        cls, settings: Any, arrays: Arrays, metadata: Metadata, context: Context
    ) -> Self:
        """Return the detector that `state` describes.

        Raises:
            InputError: the state is damaged, or was made with other weights than are here.
        """
        made = cls(settings, context)
        with seeded(context.seed):
            model = made.build()
        if metadata.get("weights") != made.identity(model):
            raise InputError(
                f"{cls.NAME}: was fitted with other weights than {made.weights}; give those with "
                "--weights"
            )
        made.learned = {k: v for k, v in metadata.items() if k not in ("anomalib", "weights")}
        made.load(model, {name: torch.from_numpy(array.copy()) for name, array in arrays.items()})
        made.model = model.to(context.device).eval()
        return made

    def load(self, model: Network, state: dict[str, Tensor]) -> None:
        """Put learned tensors into a network that was just built.

        Raises:
            InputError: they are not those of such a network.
        """
        try:
            missing, unexpected = model.load_state_dict(state, strict=False)
        except RuntimeError as error:
            problem = str(error).splitlines()[-1].strip()
            raise InputError(f"{self.NAME}: the model is damaged: {problem}") from None
        missing = [name for name in missing if not self.is_frozen(name)]
        if missing or unexpected:
            problem = f"{missing[0]} is missing" if missing else f"{unexpected[0]} is not known"
            raise InputError(f"{self.NAME}: the model is damaged: {problem}")


class Limit:
    """A limit of time.

    Args:
        minutes: None for no limit.
    """

    def __init__(self, minutes: float | None) -> None:
        self._end = None if minutes is None else time.monotonic() + 60 * minutes

    @property
    def reached(self) -> bool:
        """Whether the time is over."""
        return self._end is not None and time.monotonic() >= self._end
