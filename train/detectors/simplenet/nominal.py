"""The nominal features that a step learns from, whatever the sizes of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stainless.dataset import Sample, split_validation
from stainless.errors import InputError
from train.augment import augment, draw
from train.detectors.detector import Context, Trainset
from train.detectors.simplenet.settings import Settings
from train.features import FeatureExtractor

#: Pictures that the spread of features is measured on.
MEASURED = 32


class Stream(IntEnum):
    """What random numbers are drawn for. Append, never renumber."""

    CROP = 0


class NominalFeatures:
    """Features of the pictures of some trainsets, varied as the context says, in windows.

    A picture goes through the backbone alone, so that its features do not depend on the batch it
    is in, and pictures of different sizes can be in one.

    Args:
        trainsets: nominal pictures.
        extractor: of the features.
        settings: sizes.
        context: augmentation and seed.
    """

    def __init__(
        self,
        trainsets: Sequence[Trainset],
        extractor: FeatureExtractor,
        settings: Settings,
        context: Context,
    ) -> None:
        self.samples = [sample for trainset in trainsets for sample in trainset.samples]
        self._extractor, self._settings, self._context = extractor, settings, context
        self._kept: dict[int, Tensor] = {}
        self._free = settings.cache_mb * 2**20

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.samples)

    def batch(self, items: Sequence[int], epoch: int) -> Tensor:
        """Return the (N, D) features of all patches of some pictures.

        Raises:
            InputError: a picture that cannot be used; names it.
        """
        return torch.cat([self._features(item, epoch) for item in items])

    def keep(self) -> None:
        """Compute what is the same in every epoch, as far as there is memory for it.

        Raises:
            InputError: a picture that cannot be used; names it.
        """
        same = [item for item, sample in enumerate(self.samples) if self._is_the_same(sample)]
        for item in tqdm(same, desc="features", unit="image", disable=None, leave=False):
            self._features(item, 0)
            if item not in self._kept:
                return

    def _is_the_same(self, sample: Sample) -> bool:
        """Return whether every epoch sees the whole picture as it is."""
        side = self._settings.crop_px
        size = scaled_size(*sample.size(), self._settings.image_px)
        return self._context.augmentation is None and (side is None or max(size) <= side)

    def spread(self) -> float:
        """Return the standard deviation of features over all patches, mean over their dimensions.

        Of `MEASURED` pictures, evenly chosen, if there are more: it is wanted roughly.
        """
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        chosen = np.linspace(0, len(self) - 1, min(len(self), MEASURED)).round().astype(int)
        for item in tqdm(chosen, desc="spread", unit="image", disable=None, leave=False):
            features = self._features(int(item), 0).double()
            count += len(features)
            total, squares = total + features.sum(dim=0), squares + features.square().sum(dim=0)
        variance = squares / count - (total / count).square()
        return float(variance.clamp(min=0).sqrt().mean())

    def _features(self, item: int, epoch: int) -> Tensor:
        kept = self._kept.get(item)
        if kept is not None:
            return kept
        sample = self.samples[item]
        picture, changes = self._picture(sample, item, epoch)
        try:
            features = extract(self._extractor, picture, for_loss=True).flatten(0, 1)
        except InputError as error:
            raise InputError(f"{sample.image}: {error}") from None
        size = features.numel() * features.element_size()
        if not changes and size <= self._free:
            self._kept[item] = features
            self._free -= size
        return features

    def _picture(self, sample: Sample, item: int, epoch: int) -> tuple[np.ndarray, bool]:
        """Return what is learned from a picture, and whether other epochs see something else."""
        picture = scaled(sample.load(), self._settings.image_px)
        ranges, side = self._context.augmentation, self._settings.crop_px
        if ranges is not None:
            picture = augment(picture, draw(ranges, self._context.seed, item, epoch))
        if side is None or max(picture.shape[:2]) <= side:
            return picture, ranges is not None
        key = (int(Stream.CROP), item, epoch)
        rng = np.random.default_rng(np.random.SeedSequence(self._context.seed, spawn_key=key))
        top, left = (int(rng.integers(max(length - side, 0) + 1)) for length in picture.shape[:2])
        return picture[top : top + side, left : left + side], True


def divided(
    trainsets: Sequence[Trainset], share: float, seed: int
) -> tuple[list[Trainset], list[Trainset]]:
    """Return what to learn from and what to watch: a share of each trainset, in whole groups.

    Raises:
        InputError: a trainset is a single group.
    """
    if share == 0:
        return list(trainsets), []
    learned, watched = [], []
    for trainset in trainsets:
        try:
            split = split_validation(trainset.samples, share, seed, "train")
        except InputError as error:
            raise InputError(f"simplenet.watch: {share:g}, but {trainset.name}: {error}") from None
        learned.append(Trainset(trainset.name, split.test))
        watched.append(Trainset(trainset.name, split.validation))
    return learned, watched


def scaled(picture: np.ndarray, side: int | None) -> np.ndarray:
    """Return a picture scaled so that its shorter side has `side` pixels; None leaves it."""
    height, width = scaled_size(picture.shape[0], picture.shape[1], side)
    if (height, width) == picture.shape[:2]:
        return picture
    how = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_LINEAR
    return cv2.resize(picture, (width, height), interpolation=how)


def scaled_size(height: int, width: int, side: int | None) -> tuple[int, int]:
    """Return height and width of a picture whose shorter side is given `side` pixels."""
    if side is None or side == min(height, width):
        return height, width
    factor = side / min(height, width)
    return max(round(height * factor), 1), max(round(width * factor), 1)


def extract(extractor: FeatureExtractor, picture: np.ndarray, for_loss: bool = False) -> Tensor:
    """Return the (h, w, D) patch features of an (H, W, 3) uint8 picture.

    Raises:
        InputError: the picture is too small.
    """
    batch = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
    return extractor(batch, for_loss=for_loss)[0]
