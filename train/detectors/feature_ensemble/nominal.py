"""What an ensemble learns from: the features that its members give of nominal pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from stainless.dataset import Sample
from stainless.errors import InputError
from train.augment import augment, draw
from train.detectors.detector import Context, Trainset
from train.detectors.feature_ensemble.transformation import Placed


class NominalFeatures:
    """Features of the pictures of some trainsets, by every member.

    Args:
        trainsets: nominal pictures.
        members: detectors that are `Featured`.
        cache_mb: memory for the features of pictures that are the same in every epoch.
        context: augmentation and seed.
    """

    def __init__(
        self,
        trainsets: Sequence[Trainset],
        members: Sequence[Any],
        cache_mb: int,
        context: Context,
    ) -> None:
        self.samples = [sample for trainset in trainsets for sample in trainset.samples]
        self._members, self._context = members, context
        self._kept: dict[int, list[Placed]] = {}
        self._free = cache_mb * 2**20

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.samples)

    def each(self) -> Iterator[list[Placed]]:
        """Yield the features of every picture as it is, with a bar."""
        for item in tqdm(range(len(self)), desc="features", unit="image", disable=None):
            yield self._of(item, None)

    def batch(self, items: Sequence[int], epoch: int) -> list[list[Placed]]:
        """Return the features of some pictures, varied as the context says.

        Raises:
            InputError: a picture that cannot be used; names it.
        """
        varied = epoch if self._context.augmentation is not None else None
        return [self._of(item, varied) for item in items]

    def _of(self, item: int, epoch: int | None) -> list[Placed]:
        """Return the features of a picture; as it is where there is no epoch."""
        kept = self._kept.get(item) if epoch is None else None
        if kept is not None:
            return kept
        sample = self.samples[item]
        picture = self._picture(sample, item, epoch)
        try:
            found = features_of(self._members, picture, self._context.device)
        except InputError as error:
            raise InputError(f"{sample.image}: {error}") from None
        size = sum(placed.vectors.numel() * placed.vectors.element_size() for placed in found)
        if epoch is None and size <= self._free and self._context.augmentation is None:
            self._kept[item] = found
            self._free -= size
        return found

    def _picture(self, sample: Sample, item: int, epoch: int | None) -> np.ndarray:
        picture, ranges = sample.load(), self._context.augmentation
        if epoch is None or ranges is None:
            return picture
        return augment(picture, draw(ranges, self._context.seed, item, epoch))


def features_of(members: Sequence[Any], picture: np.ndarray, device: str) -> list[Placed]:
    """Return what detectors that are `Featured` give of an (H, W, 3) uint8 picture.

    Raises:
        InputError: a member cannot use it.
    """
    found = []
    for member in members:
        vectors = member.patch_features(picture)
        height, width = picture.shape[:2]
        places = member.patch_places((height, width), vectors.shape[:2])
        found.append(Placed(torch.from_numpy(vectors).to(device), places))
    return found
