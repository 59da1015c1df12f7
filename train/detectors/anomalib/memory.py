"""Methods that remember features of a frozen network: one pass over the pictures, then a fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from torch import Tensor
from tqdm import tqdm

from stainless.dataset import Sample
from train.detectors.anomalib.detector import Adapter, Limit
from train.detectors.anomalib.pictures import Reader

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
