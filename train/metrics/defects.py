"""Recall defect by defect: a large defect must not outvote ten small ones.

Source: Mao et al., arXiv 2501.09579, appendix C: the recall of defects at twelve thresholds of
coverage and its mean over them. The values of the twelve are our reading, since they could not be
established from the public text: any pixel at all, 5 %, and 10 % to 100 % in steps of ten.

The rule: a defect counts as found at coverage threshold t if at least the share t of its pixels is
anomalous, and at least one pixel.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from train.metrics.scores import ratio

COVERAGE_THRESHOLDS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Instance:
    """One defect or impurity on one image: its class index, its pixels, and how many are found."""

    class_index: int
    number: int
    pixels: int
    found: int

    @property
    def coverage(self) -> float:
        """Share of the pixels that are anomalous."""
        return self.found / self.pixels

    @property
    def recalls(self) -> np.ndarray:
        """(12,) bool: at which of COVERAGE_THRESHOLDS the instance counts as found."""
        return (self.coverage >= np.array(COVERAGE_THRESHOLDS)) & (self.found > 0)


def instances_of(
    flagged: np.ndarray,
    classes: np.ndarray,
    instances: np.ndarray,
    ignore: np.ndarray | None = None,
) -> list[Instance]:
    """Return the instances of one image, by class and number.

    Args:
        flagged: (H, W) bool, anomalous pixels.
        classes: (H, W) uint8, class index, 0 for none.
        instances: (H, W) uint16, instance index; the same index in two classes is two instances.
        ignore: (H, W) bool, pixels that count for nothing.
    """
    there = classes > 0
    if ignore is not None:
        there &= ~ignore
    # Class and number in one: 65536 numbers fit below each class.
    keys = (classes[there].astype(np.int64) << 16) | instances[there]
    names, compact = np.unique(keys, return_inverse=True)
    sizes = np.bincount(compact, minlength=len(names))
    found = np.bincount(compact[flagged[there]], minlength=len(names))
    return [
        Instance(int(key) >> 16, int(key) & 0xFFFF, int(size), int(hit))
        for key, size, hit in zip(names, sizes, found, strict=True)
    ]


class DefectRecall:
    """Recall over many instances, whole and by class; one `add` an instance."""

    def __init__(self) -> None:
        self._found: dict[str, np.ndarray] = defaultdict(
            lambda: np.zeros(len(COVERAGE_THRESHOLDS), np.int64)
        )
        self._count: dict[str, int] = defaultdict(int)

    def add(self, name: str, instance: Instance) -> None:
        """Count an instance of the class `name`."""
        self._found[name] += instance.recalls
        self._count[name] += 1

    @property
    def classes(self) -> list[str]:
        """The classes counted so far, sorted."""
        return sorted(self._count)

    def count(self, name: str | None = None) -> int:
        """Return the number of instances, of one class or of all."""
        return self._count.get(name, 0) if name is not None else sum(self._count.values())

    def recall(self, name: str | None = None) -> np.ndarray:
        """Return the (12,) recall at COVERAGE_THRESHOLDS; NaN without an instance."""
        chosen = [found for known, found in self._found.items() if name in (known, None)]
        if not chosen:
            return np.full(len(COVERAGE_THRESHOLDS), np.nan)
        return np.sum(chosen, axis=0) / self.count(name)

    def mean_recall(self, name: str | None = None) -> float:
        """Return the recall averaged over the twelve thresholds; NaN without an instance."""
        return float(self.recall(name).mean())


class ClassRecall:
    """Share of the pixels of each class that is anomalous; of a stain, its detection rate."""

    def __init__(self) -> None:
        self._pixels: dict[str, int] = defaultdict(int)
        self._found: dict[str, int] = defaultdict(int)

    def add(self, name: str, pixels: int, found: int) -> None:
        """Count `pixels` of the class, `found` of which are anomalous."""
        self._pixels[name] += pixels
        self._found[name] += found

    def pixels(self, name: str) -> int:
        """Return the number of pixels of a class."""
        return self._pixels.get(name, 0)

    def recall(self, name: str) -> float:
        """Return the pixel recall of a class; NaN without a pixel of it."""
        return ratio(self._found.get(name, 0), self.pixels(name))
