"""The worst cases of each kind and method, found while the pictures are read; rules in `RULES`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from train.metrics.defects import instances_of
from train.report.marks import Marked
from train.report.results import MethodResults, Results

Box = tuple[int, int, int, int]

#: A flagged pixel no farther than this share of the longer side of the picture from a label
#: spills around it; what lies farther and is connected leaks.
NEAR = 0.012

RULES = {
    "spill": (
        "Label bias: the prediction spills around the label",
        "At least half of a defect is found; of these, the one with most flagged pixels close "
        "around its label, connected with what is found of it.",
    ),
    "narrow": (
        "Label bias: the label is larger than what is seen of it",
        "Some of a defect is found, but less than half, and hardly anything is flagged around it "
        "(at most a tenth of what is found); of these, the one with most labelled pixels left out.",
    ),
    "leak": (
        "Prediction leakage: a false positive that adjoins a defect",
        "A flagged region that touches a defect and goes on beyond its surroundings; of these, "
        "the one with most pixels out there.",
    ),
    "impurity": (
        "Prediction leakage: an impurity is flagged",
        "The connected region with most flagged pixels of impurities.",
    ),
    "missed": (
        "Change of appearance: missed here, found elsewhere",
        "No pixel of a defect is found, though at least half of one of the same class is found in "
        "another picture of the same group (the same part, say), if possible the instance of the "
        "same number; of these, the largest.",
    ),
}


@dataclass(frozen=True)
class Case:
    """Something to look at.

    Attributes:
        place: of the picture in results["images"].
        box: x, y, width, height in pixels of what it is about.
        size: what the rule ranks by; the largest is the worst.
        name: class it is about.
        number: of the instance.
        words: what was counted.
        beside: where the same was found, if that is what it is about.
    """

    place: int
    box: Box
    size: float
    name: str
    number: int
    words: str
    beside: Case | None = None


class Candidates:
    """Worst case so far of each rule and method; `update` once a picture and method."""

    def __init__(self, results: Results) -> None:
        self._images = results["images"]
        self._worst: dict[tuple[str, str], Case] = {}
        self._missed: dict[str, list[Case]] = {}
        self._found: dict[str, dict[tuple[str, str], list[Case]]] = {}

    def update(
        self, method: MethodResults, place: int, marked: Marked, flagged: np.ndarray
    ) -> None:
        """Take what a method flags (H, W) bool on the picture at a place."""
        slug = method["slug"]
        self._update_impurity(slug, place, marked, flagged)
        if not marked.defect.any():
            return
        regions = cv2.connectedComponents(flagged.astype(np.uint8), connectivity=8)[1]
        near = max(2, round(NEAR * max(flagged.shape)))
        for instance in instances_of(flagged, marked.classes, marked.instances, marked.ignored):
            named = marked.names.get(instance.class_index)
            if named is None or named.kind != "defect":
                continue
            mask = (marked.classes == instance.class_index) & (marked.instances == instance.number)
            mask &= ~marked.ignored
            case = Case(place, _box(mask), instance.pixels, named.name, instance.number, "")
            group = self._images[place]["group"] or self._images[place]["name"]
            if not instance.found:
                self._missed.setdefault(slug, []).append(
                    replace(case, words=f"none of {pixels(instance.pixels)} found")
                )
                continue
            counted = f"{instance.found} of {pixels(instance.pixels)} found"
            if instance.coverage >= 0.5:
                same = self._found.setdefault(slug, {}).setdefault((group, named.name), [])
                same.append(replace(case, size=instance.coverage, words=counted))
            around, beyond = _outside(mask, case.box, near, flagged & ~marked.defect, regions)
            if instance.coverage >= 0.5 and around:
                words = f"{counted}, {around} flagged within {near} pixels around"
                self._take(slug, "spill", replace(case, size=around, words=words))
            if instance.coverage < 0.5 and around <= instance.found / 10:
                words = f"{counted}, {around} flagged around it"
                self._take(
                    slug,
                    "narrow",
                    replace(case, size=instance.pixels - instance.found, words=words),
                )
            if beyond.any():
                words = f"{pixels(np.count_nonzero(beyond))} farther than {near} from the label"
                box = _box(beyond | mask)
                size = float(np.count_nonzero(beyond))
                self._take(slug, "leak", replace(case, box=box, size=size, words=words))

    def _update_impurity(self, slug: str, place: int, marked: Marked, flagged: np.ndarray) -> None:
        wrong = flagged & marked.impurity & ~marked.defect
        if not wrong.any():
            return
        stats, regions = _components(wrong)
        largest = int(stats[:, cv2.CC_STAT_AREA].argmax())
        area = int(stats[largest, cv2.CC_STAT_AREA])
        index = int(np.bincount(marked.classes[regions == largest + 1]).argmax())
        x, y, width, height = (int(value) for value in stats[largest, :4])
        name = marked.names[index].name
        words = f"{pixels(area)} of it flagged"
        self._take(slug, "impurity", Case(place, (x, y, width, height), area, name, 0, words))

    def _take(self, slug: str, rule: str, case: Case) -> None:
        known = self._worst.get((slug, rule))
        if known is None or case.size > known.size:
            self._worst[slug, rule] = case

    def worst(self, method: MethodResults, rule: str) -> Case | None:
        """Return a method's worst case by a rule, None if it has none."""
        slug = method["slug"]
        if rule != "missed":
            return self._worst.get((slug, rule))
        best: Case | None = None
        for case in self._missed.get(slug, ()):
            beside = self._elsewhere(slug, case)
            if beside is None:
                continue
            # A number that comes back is most likely the same defect seen again.
            rank = (beside.number == case.number, case.size)
            if (
                best is None
                or best.beside is None
                or rank
                > (
                    best.beside.number == best.number,
                    best.size,
                )
            ):
                best = replace(case, beside=beside)
        return best

    def _elsewhere(self, slug: str, case: Case) -> Case | None:
        entry = self._images[case.place]
        group = entry["group"] or entry["name"]
        known = self._found.get(slug, {}).get((group, case.name), [])
        others = [other for other in known if other.place != case.place]
        return max(
            others, key=lambda other: (other.number == case.number, other.size), default=None
        )


def pixels(count: int) -> str:
    """Return a number of pixels in words."""
    return f"{count} pixel" if count == 1 else f"{count} pixels"


def _components(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the statistics of the 8-connected regions of a mask, and the (H, W) map of them."""
    _, regions, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return stats[1:], regions


def _box(mask: np.ndarray) -> Box:
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return x, y, width, height


def _outside(
    mask: np.ndarray, box: Box, near: int, false: np.ndarray, regions: np.ndarray
) -> tuple[int, np.ndarray]:
    """Return how much is falsely flagged close around an instance, and where farther out.

    Args:
        mask: (H, W) bool, the instance.
        box: x, y, width, height that hold it.
        near: how far "close" reaches, in pixels.
        false: (H, W) bool, false positives.
        regions: (H, W) number of the flagged region that a pixel is in, 0 for none.
    """
    x, y, width, height = box
    window = np.s_[max(0, y - near) : y + height + near, max(0, x - near) : x + width + near]
    touched = np.unique(regions[mask])
    connected = false & np.isin(regions, touched[touched > 0])
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * near + 1, 2 * near + 1))
    close = np.zeros_like(mask)
    close[window] = cv2.dilate(mask[window].astype(np.uint8), disc) > 0
    return int(np.count_nonzero(connected & close)), connected & ~close
