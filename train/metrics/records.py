"""What is evaluated: an image's anomaly map beside its ground truth, read when it is its turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stainless.dataset import (
    GOOD,
    Annotation,
    Region,
    Sample,
    has_saturation,
    load_annotation,
    load_ignore,
    load_mask,
    mask_annotation,
    saturated_regions,
)
from stainless.errors import InputError
from train.map_files import read_map
from train.metrics.regions import region_weights
from train.metrics.scores import Maps, Pixels, pixels


@dataclass(frozen=True)
class Record:
    """One image to evaluate.

    Attributes:
        name: unique among the images.
        group: images of one group stay together in a bootstrap.
        label: "good" or the class of the defect.
        scores: (H, W) anomaly map in the pixels of the image, or the .npy file of one; None of a
            detector that gives none.
        mask: (H, W) bool, what is defective; None where nobody has marked it.
        annotation: classes and instances, impurities included, or what reads them; None for one
            class `label` whose instances are the regions of the mask.
        ignore: (H, W) bool, pixels that count for nothing; None for none.
        value: score of the whole image; None for its highest pixel.
        regions: reads the regions of its defects with their saturation, none of a good image; None
            where the dataset has no saturation.
    """

    name: str
    group: str
    label: str
    scores: np.ndarray | Path | None
    mask: np.ndarray | None
    annotation: Annotation | Callable[[], Annotation] | None = None
    ignore: np.ndarray | None = None
    value: float | None = None
    regions: Callable[[], list[Region]] | None = None

    @property
    def defective(self) -> bool:
        """Whether the image has a defect."""
        return self.label != GOOD

    @property
    def lacks(self) -> str | None:
        """What keeps pixels from being counted; None for nothing."""
        if self.scores is None:
            return "the method gives no anomaly map"
        return "there are no masks" if self.mask is None else None

    def pixels(self, weights: np.ndarray | None = None, scores: np.ndarray | None = None) -> Pixels:
        """Return the checked pixels; without a mask all are nominal.

        Args:
            weights: (H, W), weighs the positive ones.
            scores: (H, W) anomaly map where it has been read already.

        Raises:
            InputError: the map is missing, of another shape, not finite, or wholly ignored.
        """
        scores = self.score_map() if scores is None else scores
        mask = np.zeros(scores.shape, bool) if self.mask is None else self.mask
        return self.counted(mask, self.ignore, weights, scores)

    def counted(
        self,
        mask: np.ndarray,
        ignore: np.ndarray | None,
        weights: np.ndarray | None,
        scores: np.ndarray,
    ) -> Pixels:
        """Return the checked pixels of an anomaly map against a mask, but those to ignore.

        Raises:
            InputError: the map is of another shape, not finite, or wholly ignored.
        """
        found = pixels(self.name, scores, mask, ignore, weights)
        if not len(found.scores):
            raise InputError(f"{self.name}: every pixel is ignored")
        return found

    def score_map(self) -> np.ndarray:
        """Return the (H, W) anomaly map."""
        assert self.scores is not None
        if isinstance(self.scores, np.ndarray):
            return self.scores
        return read_map(self.scores)

    def annotated(self) -> Annotation:
        """Return classes and instances."""
        assert self.mask is not None
        if self.annotation is None:
            return mask_annotation(self.mask, self.label)
        return self.annotation() if callable(self.annotation) else self.annotation


#: Gives the images anew at every call, since exact metrics read them more than once.
Records = Callable[[], Iterable[Record]]


class SampleRecords:
    """The records of samples, their ground truth loaded one image at a time.

    Args:
        samples: of one or more splits of a dataset.
        scores: gives the anomaly map of a sample, in the pixels of its image: an array, computed
            anew at each reading, or rather the .npy file where it was stored; None for no map.
        values: gives the score of the whole image of a sample; None for its highest pixel.
        saturated: whether the dataset says how much of each defect must be found.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        scores: Callable[[Sample], np.ndarray | Path | None],
        values: Callable[[Sample], float] | None,
        saturated: bool,
    ) -> None:
        self._samples, self._scores, self._values = samples, scores, values
        self._saturated = saturated

    def only(self, names: Collection[str]) -> SampleRecords:
        """Return the records of some samples; those of others are not even read."""
        samples = [sample for sample in self._samples if sample.name in names]
        return SampleRecords(samples, self._scores, self._values, self._saturated)

    def __call__(self) -> Iterator[Record]:
        """Yield the records."""
        for sample in self._samples:
            yield Record(
                sample.name,
                sample.group,
                sample.label,
                self._scores(sample),
                load_mask(sample) if sample.truth == "pixel" else None,
                # Classes and instances are wanted in one of the readings only.
                lambda sample=sample: load_annotation(sample),  # type: ignore[misc]
                load_ignore(sample),
                None if self._values is None else self._values(sample),
                (lambda sample=sample: saturated_regions(sample))  # type: ignore[misc]
                if self._saturated
                else None,
            )


def read_records(
    samples: Sequence[Sample],
    scores: Callable[[Sample], np.ndarray | Path | None],
    values: Callable[[Sample], float] | None = None,
) -> Records:
    """Return the records of samples; see `SampleRecords` for the arguments."""
    saturated = any(has_saturation(sample) for sample in samples)
    return SampleRecords(samples, scores, values, saturated)


def only(records: Records, names: Collection[str]) -> Records:
    """Return the records of some names."""
    if isinstance(records, SampleRecords):
        return records.only(names)
    return lambda: (record for record in records() if record.name in names)


def maps_of(records: Records) -> Maps:
    """Return the pixels of records, weighted for AU-PRO."""

    def read() -> Iterator[Pixels]:
        for record in records():
            assert record.mask is not None
            yield record.pixels(region_weights(record.mask, record.ignore)[0])

    return read
