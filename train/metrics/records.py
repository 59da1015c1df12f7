"""What is judged: an image's anomaly map beside its ground truth, read when it is its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stainless.dataset import (
    Annotation,
    Sample,
    load_annotation,
    load_ignore,
    load_mask,
    mask_annotation,
)
from stainless.errors import InputError
from train.metrics.regions import region_weights
from train.metrics.scores import Maps, Pixels, pixels


@dataclass(frozen=True)
class Record:
    """One image to judge.

    Attributes:
        name: unique among the images.
        group: images of one group stay together in a bootstrap.
        label: "good" or the class of the defect.
        scores: (H, W) anomaly map in the pixels of the image, or the .npy file of one.
        mask: (H, W) bool, what is defective.
        annotation: classes and instances, impurities included, or what reads them; None for one
            class `label` whose instances are the regions of the mask.
        ignore: (H, W) bool, pixels that count for nothing; None for none.
    """

    name: str
    group: str
    label: str
    scores: np.ndarray | Path
    mask: np.ndarray
    annotation: Annotation | Callable[[], Annotation] | None = None
    ignore: np.ndarray | None = None

    def pixels(self, weights: np.ndarray | None = None) -> Pixels:
        """Return the checked pixels, positive ones weighted by (H, W) `weights` if given.

        Raises:
            InputError: the map is missing, of another shape, not finite, or wholly ignored.
        """
        found = pixels(self.name, self.score_map(), self.mask, self.ignore, weights)
        if not len(found.scores):
            raise InputError(f"{self.name}: every pixel is ignored")
        return found

    def score_map(self) -> np.ndarray:
        """Return the (H, W) anomaly map."""
        if isinstance(self.scores, np.ndarray):
            return self.scores
        try:
            return np.load(self.scores, allow_pickle=False)
        except (ValueError, EOFError):
            raise InputError(f"{self.scores}: is no .npy file, or a truncated one") from None
        except OSError as error:
            raise InputError(f"{self.scores}: {(error.strerror or 'unreadable').lower()}") from None

    def annotated(self) -> Annotation:
        """Return classes and instances."""
        if self.annotation is None:
            return mask_annotation(self.mask, self.label)
        return self.annotation() if callable(self.annotation) else self.annotation


#: Gives the images anew at every call, since exact metrics read them more than once.
Records = Callable[[], Iterable[Record]]


def read_records(
    samples: Sequence[Sample], scores: Callable[[Sample], np.ndarray | Path]
) -> Records:
    """Return the records of samples, their ground truth loaded one image at a time.

    Args:
        samples: of one or more parts of a dataset.
        scores: gives the anomaly map of a sample, in the pixels of its image: an array, computed
            anew at each reading, or rather the .npy file where it was stored.
    """

    def read() -> Iterator[Record]:
        for sample in samples:
            yield Record(
                sample.name,
                sample.group,
                sample.label,
                scores(sample),
                load_mask(sample),
                # Classes and instances are wanted in one of the readings only.
                lambda sample=sample: load_annotation(sample),  # type: ignore[misc]
                load_ignore(sample),
            )

    return read


def maps_of(records: Records) -> Maps:
    """Return the pixels of records, weighted for AU-PRO."""

    def read() -> Iterator[Pixels]:
        for record in records():
            yield record.pixels(region_weights(record.mask, record.ignore)[0])

    return read
