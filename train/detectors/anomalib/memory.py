"""Methods that remember features of a frozen network: one pass over the pictures, then a fit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stainless.dataset import Sample
from stainless.errors import InputError
from train.detectors.anomalib.detector import Adapter, Limit, Network
from train.detectors.anomalib.pictures import Reader
from train.detectors.detector import PatchPlaces

S = TypeVar("S", bound=Any)


class Remembering(Adapter[S]):
    """A method that keeps features of nominal pictures."""

    def chosen(self, samples: Sequence[Sample]) -> list[Sample]:
        """Return every Nth picture, as the setting says."""
        return list(samples)[:: self.settings.every]

    def pictures(self, samples: Sequence[Sample], read: Reader, limit: Limit) -> Iterator[Tensor]:
        """Yield each picture as (1, 3, h, w) until all are seen or the time is over.

        One picture is always seen, so that there is something to go on with.
        """
        for index, sample in enumerate(tqdm(samples, desc="features", unit="image", disable=None)):
            if index and limit.reached:
                self.context.report(
                    f"{self.NAME}: stopped after {self.settings.minutes:g} minutes with "
                    f"{index} of {len(samples)} pictures"
                )
                return
            yield self.preparation.padded(read(sample, index))


class Differing(Remembering[S]):
    """A method that scores a patch by how it differs from what is remembered."""

    adapted = False

    @abstractmethod
    def differences(self, model: Network, patches: Tensor) -> Tensor:
        """Return (1, D, h, w) vectors whose lengths are the scores of (1, D, h, w) patches."""

    @abstractmethod
    def patches(self, model: Network, picture: Tensor) -> Tensor:
        """Return the (1, D, h, w) patches of a padded (1, 3, H, W) picture."""

    def patch_features(self, image: np.ndarray) -> np.ndarray:
        """Return the (h, w, D) float32 absolute differences of the patches of a picture.

        Raises:
            InputError: a picture that cannot be used, or nothing has been learned.
        """
        if self.model is None:
            raise InputError(f"{self.NAME}: has learned nothing yet")
        with torch.inference_mode():
            picture = self.preparation.padded(self.preparation.resized(image, self.context.device))
            found = self.differences(self.model, self.patches(self.model, picture)).abs()
        vectors: np.ndarray = found[0].permute(1, 2, 0).contiguous().cpu().numpy()
        return vectors

    def patch_places(self, picture: tuple[int, int], grid: tuple[int, int]) -> PatchPlaces:
        """Return where the patches of a picture lie: evenly, as anomalib stretches its maps."""
        return PatchPlaces.even(picture, grid)
