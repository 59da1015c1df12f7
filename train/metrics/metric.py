"""What a metric is: a module of `train/metrics/measures/` with its class and its figures.

Such a module has

* `VERSION`, a number that rises whenever its results change;
* `FIGURES`, the figures that stand for a method in one line, and `CLASS_FIGURES`, those that stand
  for one class of it; either may be empty;
* `NEEDS_MAP`, whether it needs the anomaly map and the mask of every image;
* `Measure`, a class that follows the protocol below, and `Rereading` where it must;
* `table`, where it has more to print than its figures: lines of text of an evaluation.

Nothing else names it: `evaluate`, the tables, the report and the bootstrap find it by its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np

from stainless.errors import InputError
from train.metrics.pixels import Confusion
from train.metrics.radix import Radix
from train.metrics.records import Record, Records
from train.metrics.regions import region_weights
from train.metrics.resolve import Steps
from train.metrics.scores import Pixels, anomalous, ratio

#: A row of "per_image".
Row = Mapping[str, Any]

#: A figure of a selection of images, given as indices that may repeat.
Resampled = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Figure:
    """A number that stands for a method.

    Attributes:
        key: its name in results, tables and comparisons.
        title: above a column of a report.
        section: of what `evaluate` returns, in which the figure is.
        name: of the figure there.
        place: where it stands among the columns of a table, from the left.
        rule: which pictures are behind the number, and in which order; a sentence.
        worst: gives a number for each row, smallest first in the order of the rule; None for a
            picture that the figure is not about.
        more_is_better: False for what should be low.
        resample: gives, of the rows, the figure of any selection of them; None for a figure that
            single images do not add up to.
        column: above the column of that name in the printed table, where the section is a row;
            None for one that the metric prints in a table of its own.
    """

    key: str
    title: str
    section: str
    name: str
    place: int
    rule: str
    worst: Callable[[Sequence[Row]], Sequence[float | None]]
    more_is_better: bool = True
    resample: Callable[[Sequence[Row]], Resampled] | None = None
    column: str | None = ""

    def of(self, result: Mapping[str, Any]) -> float | None:
        """Return the figure in what `evaluate` returned; None where it is undefined."""
        value: float | None = (result.get(self.section) or {}).get(self.name)
        return value


@dataclass(frozen=True)
class ClassFigure:
    """A number that stands for one class of a method: a share, over all pictures or in one.

    Attributes:
        key: its name in the entry of the class in "classes".
        title: above a column.
        label: the title in full.
        amount: what is summed, of the class in a row's "classes".
        whole: what the sum is divided by.
        rule: what pictures are ordered by.
    """

    key: str
    title: str
    label: str
    amount: str
    whole: str
    rule: str

    def of(self, row: Row, name: str) -> float | None:
        """Return the figure of a class in one picture; None where it is undefined."""
        known = (row.get("classes") or {}).get(name) or {}
        return share(known.get(self.amount), known.get(self.whole))


@dataclass(frozen=True)
class Thresholds:
    """Where anomalous begins.

    Attributes:
        pixel: a pixel is anomalous at or above it; None where there are no maps.
        picture: a picture is, by its own score; None for one with any anomalous pixel.
    """

    pixel: float | None
    picture: float | None = None


class Reading:
    """One image and its ground truth while it is read, everything about it computed once."""

    def __init__(self, record: Record, thresholds: Thresholds) -> None:
        self.record = record
        self.thresholds = thresholds

    @cached_property
    def _map(self) -> np.ndarray:
        return self.record.score_map()

    @cached_property
    def _regions(self) -> tuple[np.ndarray | None, int]:
        if self.record.mask is None:
            return None, 0
        return region_weights(self.record.mask, self.record.ignore)

    @property
    def regions(self) -> int:
        """Number of connected defect regions."""
        return self._regions[1]

    @cached_property
    def pixels(self) -> Pixels:
        """The pixels that count, positive ones weighted by one over the size of their region."""
        return self.record.pixels(self._regions[0], self._map)

    @cached_property
    def flagged_map(self) -> np.ndarray:
        """(H, W) bool, which pixels are anomalous; ignored ones are not left out."""
        return anomalous(self._map, self._pixel_threshold)

    @property
    def defective(self) -> bool:
        """Whether the image has a defect."""
        return self.record.defective

    @cached_property
    def top(self) -> float:
        """The highest score of a pixel that counts."""
        return float(self.pixels.scores.max())

    @cached_property
    def score(self) -> float:
        """The score of the whole image.

        It is the method's own. Where that is the highest score of a pixel, or where there is none,
        it is the highest of the pixels that count.
        """
        own = self.record.value
        if self.record.scores is None:
            if own is None:
                raise InputError(f"{self.record.name}: has neither a score nor an anomaly map")
            return own
        return self.top if own is None or own == float(self._map.max()) else own

    @cached_property
    def flagged(self) -> bool:
        """Whether the image is anomalous, by its own threshold or by any pixel."""
        if self.thresholds.picture is not None:
            return self.score >= self.thresholds.picture
        if self.record.scores is None:
            raise InputError(
                f"{self.record.name}: has no anomaly map, so that pictures need a threshold of "
                "their own"
            )
        return bool(anomalous(self.pixels.scores, self._pixel_threshold).any())

    @property
    def _pixel_threshold(self) -> float:
        assert self.thresholds.pixel is not None
        return self.thresholds.pixel


class Curve(Protocol):
    """Follows all scores from the highest to the lowest."""

    #: (BINS,) bool: bins that must be resolved to single scores.
    needed: np.ndarray

    def update(self, steps: Steps) -> None:
        """Take the next steps."""


class Measure(Protocol):
    """A metric at work: `update` once an image, then `curves`, then `results`."""

    def __init__(self, thresholds: Thresholds) -> None: ...

    def update(self, reading: Reading) -> dict[str, Any]:
        """Take one image; return what it adds to the row of the image."""

    def curves(self, radix: Radix) -> Sequence[Curve]:
        """Return what must follow the scores of all pixels; none as a rule.

        Args:
            radix: counts of the pixels of all images.
        """

    def results(self) -> dict[str, dict[str, Any]]:
        """Return sections of the evaluation by name; NaN stands for undefined."""


@runtime_checkable
class Rereading(Protocol):
    """A metric that follows the scores of some images apart from the others."""

    def reread(self, records: Records) -> None:
        """Read the images again, after all of them were taken and before `results`."""


def count(row: Row, key: str) -> float:
    """Return a count of a row, 0 where it is undefined."""
    return row.get(key) or 0


def share(amount: float | None, whole: float | None) -> float | None:
    """Return amount / whole, None where that is undefined."""
    return None if amount is None or not whole else amount / whole


def lowest(
    amount: Callable[[Row], float], whole: Callable[[Row], float]
) -> Callable[[Sequence[Row]], list[float | None]]:
    """Return the order of pictures by a share in each, the lowest first."""
    return lambda rows: [share(amount(row), whole(row)) for row in rows]


def shares(
    amount: Callable[[Row], float], whole: Callable[[Row], float]
) -> Callable[[Sequence[Row]], Resampled]:
    """Return how a share over a selection of images is computed."""

    def resample(rows: Sequence[Row]) -> Resampled:
        amounts = np.array([amount(row) for row in rows], float)
        wholes = np.array([whole(row) for row in rows], float)
        return lambda drawn: ratio(float(amounts[drawn].sum()), float(wholes[drawn].sum()))

    return resample


def counts(confusion: Confusion) -> dict[str, Any]:
    """Return confusion counts and the ratios made of them by their names."""
    return {
        "tp": confusion.true_positive,
        "fp": confusion.false_positive,
        "fn": confusion.false_negative,
        "tn": confusion.true_negative,
        "precision": confusion.precision,
        "recall": confusion.recall,
        "f1": confusion.f1,
    }
