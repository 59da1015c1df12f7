"""SimpleNet: features of a frozen network, and a small one that tells them from noisy ones.

Source: Liu, Zhou, Xu, Wang, "SimpleNet: A Simple Network for Image Anomaly Detection and
Localization", CVPR 2023, arXiv 2303.15140. The README has what is published and what differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from stainless.errors import InputError
from train.anomaly_map import anomaly_map
from train.detectors.detector import Arrays, Context, Metadata, PatchPlaces, Score, Trainset
from train.detectors.discriminator import SHARE_OF_SPREAD, has_learned_nothing
from train.detectors.exportable import MAP, SCORE, Graph
from train.detectors.request import describe
from train.detectors.simplenet.graph import PicturesToScores
from train.detectors.simplenet.head import Head
from train.detectors.simplenet.nominal import (
    NominalFeatures,
    divided,
    extract,
    scaled,
    scaled_size,
)
from train.detectors.simplenet.settings import Settings
from train.features import FeatureExtractor
from train.seeding import seeded
from train.training.loop import Update, train

#: Noise that is published with the published backbone. To another backbone's features it may be
#: nothing, so that there noise is a share of their spread.
PUBLISHED_BACKBONE, PUBLISHED_NOISE = "timm:wide_resnet50_2", 0.015


class SimpleNet:
    """Scores pictures by how a discriminator tells their features from noisy nominal ones.

    Args:
        settings: of the features, the head and its learning.
        context: of the fit.

    Raises:
        InputError: settings out of their range, or missing weights.
    """

    adapted = True

    def __init__(self, settings: Settings, context: Context) -> None:
        settings.validate()
        self.settings, self.context = settings, context
        self.extractor = FeatureExtractor.of(
            settings, context.weights, context.device, context.accelerator
        )
        smallest, side = self.extractor.smallest_image, settings.crop_px
        if side is not None and side < smallest:
            raise InputError(
                f"simplenet.crop_px: {side}, expected at least {smallest}, what a patch of "
                f"{settings.backbone} sees"
            )
        with seeded(context.seed):
            self.head = Head(self.extractor.dimension, settings.hidden)
        self.head.to(context.device).eval()
        self.noise = settings.noise
        self.learned: Metadata = {}

    def fit(self, trainsets: Sequence[Trainset]) -> None:
        """Let the head learn; continue what an interrupted fit has left.

        Raises:
            InputError: untrained features, or a picture that cannot be used.
        """
        if self.extractor.untrained:
            raise InputError("random weights only serve to measure speed; a fit needs trained ones")
        learned, watched = divided(trainsets, self.settings.watch, self.context.seed)
        pictures = NominalFeatures(learned, self.extractor, self.settings, self.context)
        if self.settings.steps_of(len(pictures)) * self.settings.batch >= len(pictures):
            pictures.keep()
        self.noise = noise = self._noise(pictures)
        plain = replace(self.context, augmentation=None)
        others = NominalFeatures(watched, self.extractor, self.settings, plain)
        self.head.train()
        try:
            result = train(
                _Learning(self.head, pictures, self.settings, noise),
                len(pictures),
                self.settings,
                self.context.seed,
                identity={**describe(trainsets, self.context), **self.extractor.identity()},
                folder=self.context.checkpoint,
                figure=(lambda: self._loss_of(others, noise)) if len(others) else None,
                patience=self.settings.patience or None,
                log=self.context.log,
                report=self.context.report,
                title="simplenet",
            )
        finally:
            self.head.eval()
        self.learned = result.metadata()
        self._warn_if_nothing_was_learned(pictures, noise)
        self.context.save()

    def _loss_of(self, pictures: NominalFeatures, noise: float) -> float:
        """Return the mean loss of pictures, each time with the same noise."""
        self.head.eval()
        with torch.no_grad(), seeded(self.context.seed):
            losses = [
                self.head.loss(pictures.batch([item], 0), noise, self.settings.margin)[0]
                for item in range(len(pictures))
            ]
        self.head.train()
        return float(torch.stack(losses).mean())

    def _noise(self, pictures: NominalFeatures) -> float:
        """Return the noise of the settings, or what goes with the backbone."""
        if self.settings.noise is not None:
            return self.settings.noise
        if self.settings.backbone.partition(".")[0] == PUBLISHED_BACKBONE:
            return PUBLISHED_NOISE
        noise = SHARE_OF_SPREAD * pictures.spread()
        if noise == 0:
            raise InputError("simplenet.noise: null, expected a number: all features are the same")
        return noise

    def _warn_if_nothing_was_learned(self, pictures: NominalFeatures, noise: float) -> None:
        """Say so where nominal features are told from noisy ones no better than by chance."""
        loss = self.learned["last"].get("loss", 0.0)
        if not has_learned_nothing(loss, self.settings.margin):
            return
        self.context.warn(
            f"the discriminator tells nothing apart, its loss is {loss:.2f}: a noise of "
            f"{noise:.3g} is small beside the features' own spread of {pictures.spread():.2g}, or "
            "more steps are needed (--simplenet.noise, --simplenet.steps)"
        )

    def score(self, images: Sequence[np.ndarray]) -> list[Score]:
        """Score (H, W, 3) uint8 RGB pictures of any size.

        Returns:
            The most anomalous patch as value, and the patches' scores upsampled and blurred.

        Raises:
            InputError: a picture is too small.
        """
        return [self._score(image) for image in images]

    def patch_features(self, image: np.ndarray) -> np.ndarray:
        """Return the (h, w, D) float32 adapted features of an (H, W, 3) uint8 picture.

        Raises:
            InputError: the picture is too small.
        """
        features = extract(self.extractor, scaled(image, self.settings.image_px))
        found: np.ndarray = self.head.adapted(features.flatten(0, 1)).cpu().numpy()
        return found.reshape(features.shape)

    def patch_places(self, picture: tuple[int, int], grid: tuple[int, int]) -> PatchPlaces:
        """Return where the patches of a picture lie, in its own pixels."""
        del grid
        return self._places(picture, scaled_size(*picture, self.settings.image_px))

    def _places(self, size: tuple[int, ...], computed: tuple[int, ...]) -> PatchPlaces:
        """Return the places on a picture whose features are computed at another size."""
        down, across = (pixels / of for pixels, of in zip(size, computed, strict=True))
        # Pixels count from their centres: scaling moves them by half a pixel.
        first = self.extractor.first_centre + 0.5
        pitch = self.extractor.pitch
        return PatchPlaces(
            (first * down - 0.5, first * across - 0.5), (pitch * down, pitch * across)
        )

    def _score(self, image: np.ndarray) -> Score:
        picture = scaled(image, self.settings.image_px)
        features = extract(self.extractor, picture)
        scores = self.head.score(features.flatten(0, 1)).view(features.shape[:2])
        pixels = self._map(scores, image.shape[:2], picture.shape[:2])
        return Score(float(scores.max()), pixels.cpu().numpy())

    def _map(self, scores: Tensor, size: tuple[int, ...], computed: tuple[int, ...]) -> Tensor:
        """Return the map of a picture whose scores were computed at another size."""
        places = self._places(size, computed)
        return anomaly_map(scores, size[0], size[1], places.first, places.pitch, *self._blur)

    @property
    def _blur(self) -> tuple[float, int]:
        """Standard deviation of the map's blur in pixels, and samples of its kernel."""
        sigma_px = self.settings.blur_px
        return sigma_px or 1.0, 2 * round(4 * sigma_px) + 1

    def graph(self) -> Graph:
        """Return what computes the scores, for other runtimes.

        Raises:
            InputError: pictures are scaled before, which no graph repeats to the last digit.
        """
        if self.settings.image_px is not None:
            raise InputError(
                f"simplenet.image_px: {self.settings.image_px}, expected null for an export: "
                "OpenCV scales the pictures to whole numbers, which no other runtime repeats"
            )
        sigma_px, kernel_px = self._blur
        places = self._places((1, 1), (1, 1))
        module = PicturesToScores(self.extractor, self.head, places, sigma_px, kernel_px)
        return Graph(deepcopy(module).cpu().eval(), (SCORE, MAP), self.extractor.smallest_image)

    def pretrained(self) -> list[Metadata]:
        """Return the weights of the features."""
        return self.extractor.pretrained()

    def state(self) -> tuple[Arrays, Metadata]:
        """Return the head, whose features it takes, with what noise and how it learned."""
        arrays = {name: tensor.cpu().numpy() for name, tensor in self.head.state_dict().items()}
        features = self.extractor.identity()
        return arrays, {"features": features, "noise": self.noise, "learned": self.learned}

    @classmethod
    def from_state(
        cls, settings: Settings, arrays: Arrays, metadata: Metadata, context: Context
    ) -> Self:
        """Return the detector of a state.

        Raises:
            InputError: the state is incomplete, or of other features or weights.
        """
        detector = cls(settings, context)
        here, there = detector.extractor.identity(), metadata.get("features", {})
        for key, value in here.items():
            if there.get(key) != value:
                hint = "; give them with --weights" if key == "weights" else ""
                raise InputError(f"was fitted with other {key} of {settings.backbone}{hint}")
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        try:
            detector.head.load_state_dict(tensors)
        except RuntimeError:
            raise InputError("the networks are incomplete or of another size") from None
        detector.noise = metadata.get("noise", settings.noise)
        detector.learned = metadata.get("learned", {})
        return detector


class _Learning:
    """The task of the training loop."""

    def __init__(
        self, head: Head, pictures: NominalFeatures, settings: Settings, noise: float
    ) -> None:
        self._head, self._pictures, self._noise = head, pictures, noise
        self._margin = settings.margin
        self.modules = {"head": head}
        decay = settings.weight_decay
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "adapter": torch.optim.Adam(
                head.adapter.parameters(), settings.adapter_rate, weight_decay=decay
            ),
            "discriminator": torch.optim.Adam(
                head.discriminator.parameters(), settings.discriminator_rate, weight_decay=decay
            ),
        }

    def step(self, items: Sequence[int], epoch: int, update: Update) -> dict[str, Any]:
        features = self._pictures.batch(items, epoch)
        loss, shares = self._head.loss(features, self._noise, self._margin)
        update(loss)
        return {"loss": float(loss.detach()), **shares}
