"""Structural and logical anomalies apart, and each flaw: AUROC of images and pixels, and AU-sPRO.

As in the evaluation of MVTec LOCO AD (Bergmann et al., IJCV 2022, section 5): the pictures of one
kind are measured together with all good ones, and the mean of both kinds stands for a method. Only
a dataset that says how much of each defect must be found has these figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from stainless.dataset import GOOD, Region
from stainless.dataset.layouts import LOGICAL, STRUCTURAL, Loco
from train.metrics.images import image_auroc
from train.metrics.metric import (
    ClassFigure,
    Curve,
    Figure,
    Reading,
    Resampled,
    Row,
    Thresholds,
    count,
    lowest,
    shares,
)
from train.metrics.pixels import RocCurve
from train.metrics.radix import Radix
from train.metrics.records import Record, Records, only
from train.metrics.regions import ProCurve
from train.metrics.saturation import LIMITS, QUOTED, overlaps, saturated_weights, union
from train.metrics.scores import Pixels
from train.metrics.text_table import grid

VERSION = 1
NEEDS_MAP = False

#: Section of a kind: the folder of its pictures. EVERY is all pictures together.
KINDS = {kind: Loco().kind([kind]) for kind in (STRUCTURAL, LOGICAL)}
BOTH, EVERY = "kinds", "every"


def _auroc(label: str) -> Callable[[Sequence[Row]], Resampled]:
    """Return how the image AUROC of one kind over a selection of images is computed."""

    def resample(rows: Sequence[Row]) -> Resampled:
        scores = np.array([row["score"] for row in rows], float)
        own = np.array([row["label"] == label for row in rows], bool)
        meant = own | np.array([row["label"] == GOOD for row in rows], bool)

        def auroc(drawn: np.ndarray) -> float:
            kept = drawn[meant[drawn]]
            return image_auroc(scores[kept], own[kept])

        return auroc if own.any() else lambda drawn: float("nan")

    return resample


def _mean_auroc(rows: Sequence[Row]) -> Resampled:
    both = [_auroc(label)(rows) for label in KINDS.values()]
    return lambda drawn: sum(auroc(drawn) for auroc in both) / len(both)


def _overlap(row: Row) -> float:
    return count(row, "spro_sum")


def _regions(row: Row) -> float:
    return count(row, "spro_regions")


_RESAMPLED = {**{kind: _auroc(label) for kind, label in KINDS.items()}, BOTH: _mean_auroc}
_RULE = "Pictures of it, lowest sPRO at the method's threshold of pixels first."


def _worst(kind: str) -> Callable[[Sequence[Row]], list[float | None]]:
    def worst(rows: Sequence[Row]) -> list[float | None]:
        own = [row if row["label"] == KINDS.get(kind, row["label"]) else {} for row in rows]
        return lowest(_overlap, _regions)(own)

    return worst


def _figures() -> Iterator[Figure]:
    titles = {STRUCTURAL: "structural", LOGICAL: "logical", BOTH: "mean of both kinds"}
    for number, (kind, title) in enumerate(titles.items()):
        for place, name, what in (
            (0, "image_auroc", "Image AUROC"),
            (10, "pixel_auroc", "Pixel AUROC"),
            (20, "au_spro", "AU-sPRO"),
        ):
            yield Figure(
                f"{kind}_{name}",
                f"{what}, {title}",
                kind,
                name,
                100 + place + number,
                _RULE,
                _worst(kind),
                resample=_RESAMPLED[kind] if name == "image_auroc" else None,
                column=None,
            )
    yield Figure(
        "spro",
        "sPRO",
        EVERY,
        "spro",
        130,
        "Defective pictures, lowest sPRO at the method's threshold of pixels first.",
        lowest(_overlap, _regions),
        resample=shares(_overlap, _regions),
        column=None,
    )


FIGURES = tuple(_figures())

CLASS_FIGURES: tuple[ClassFigure, ...] = ()


class _Group:
    """The defective images of one kind, or with one flaw."""

    def __init__(self, label: str | None = None, flaw: str | None = None) -> None:
        self.label, self.flaw = label, flaw
        self.names: set[str] = set()
        self.scores: list[float] = []
        self.regions = 0
        self.radix = Radix()

    def share(
        self, record: Record, regions: Sequence[Region], scores: np.ndarray
    ) -> tuple[Pixels, int]:
        """Return the pixels of an image that count for this group, and the number of its regions.

        The pixels of other flaws count for nothing.

        Args:
            record: the image.
            regions: of its defects.
            scores: (H, W) its anomaly map.
        """
        own = [region for region in regions if self.flaw in (None, region.name)]
        mask, ignore = union(own, scores.shape), record.ignore
        if len(own) < len(regions):
            other = union(regions, scores.shape) & ~mask
            ignore = other if ignore is None else ignore | other
        weights, number = saturated_weights(scores, own, record.ignore)
        return record.counted(mask, ignore, weights, scores), number


class Measure:
    """Images by kind and by flaw, each with all good ones."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._threshold = thresholds.pixel
        self._mapped = True
        self._good = _Group()
        self._kinds: dict[str, _Group] = {}
        self._flaws: dict[str, _Group] = {}
        self._every = _Group()
        self._figures: dict[int, dict[str, Any]] = {}
        self._overlap: list[float] = []

    def update(self, reading: Reading) -> dict[str, Any]:
        """Take one image; its row gets its number of regions and the sum of their sPRO."""
        record = reading.record
        if record.regions is None:
            return {}
        self._mapped = self._mapped and record.lacks is None
        regions = record.regions() if record.mask is not None else []
        scores = record.score_map() if self._mapped else None
        for group in self._of(record, {region.name for region in regions}):
            group.names.add(record.name)
            group.scores.append(reading.score)
            if scores is not None:
                pixels, number = group.share(record, regions, scores)
                group.radix.update(pixels)
                group.regions += number
        if not self._mapped or self._threshold is None:
            return {"spro_regions": None, "spro_sum": None}
        found = overlaps(reading.flagged_map, regions, record.ignore)
        self._overlap += found
        return {"spro_regions": len(found), "spro_sum": float(sum(found))}

    def _of(self, record: Record, flaws: set[str]) -> list[_Group]:
        if not record.defective:
            return [self._good]
        kind = self._kinds.setdefault(record.label, _Group(label=record.label))
        own = [self._flaws.setdefault(name, _Group(flaw=name)) for name in sorted(flaws)]
        return [self._every, kind, *own]

    def curves(self, radix: Radix) -> list[Curve]:
        """Return none: each group has its own."""
        return []

    def reread(self, records: Records) -> None:
        """Follow the scores of each group with the good images."""
        if not self._kinds:
            return
        for group in (self._every, *self._kinds.values(), *self._flaws.values()):
            scores = np.array([*self._good.scores, *group.scores])
            defective = np.arange(len(scores)) >= len(self._good.scores)
            self._figures[id(group)] = {
                "image_auroc": image_auroc(scores, defective),
                **self._followed(group, records),
                "pictures": len(group.scores),
                "regions": group.regions,
            }

    def _followed(self, group: _Group, records: Records) -> dict[str, Any]:
        if not self._mapped:
            return {"pixel_auroc": None, "au_spro": None, "au_spro_at": None}
        meant = only(records, self._good.names | group.names)

        def read() -> Iterator[Pixels]:
            for record in meant():
                if record.regions is not None:
                    yield group.share(record, record.regions(), record.score_map())[0]

        radix = Radix()
        radix.add(self._good.radix)
        radix.add(group.radix)
        roc, overlap = RocCurve(radix), {limit: ProCurve(radix, limit) for limit in LIMITS}
        curves: list[Curve] = [roc, *overlap.values()]
        needed = np.logical_or.reduce([curve.needed for curve in curves])
        for steps in radix.steps(read, needed):
            for curve in curves:
                curve.update(steps)
        areas = {limit: curve.result() for limit, curve in overlap.items()}
        return {
            "pixel_auroc": roc.result(),
            "au_spro": areas[QUOTED],
            "au_spro_at": {f"{limit:g}": area for limit, area in areas.items()},
        }

    def results(self) -> dict[str, dict[str, Any]]:
        """Return the sections of the kinds that there are, "every" and "flaws"; else nothing."""
        if not self._figures:
            return {}
        kinds = {
            kind: self._figures[id(self._kinds[label])]
            for kind, label in KINDS.items()
            if label in self._kinds
        }
        spro = float(np.mean(self._overlap)) if self._overlap else None
        found = {**kinds, EVERY: {**self._figures[id(self._every)], "spro": spro}}
        if len(kinds) == len(KINDS):
            found[BOTH] = _mean(list(kinds.values()))
        found["flaws"] = {
            name: self._figures[id(group)] for name, group in sorted(self._flaws.items())
        }
        return found


def _mean(kinds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean of the figures of several kinds; None where one is undefined."""

    def mean(values: Sequence[float | None]) -> float | None:
        return None if None in values else float(np.mean(values))  # type: ignore[arg-type]

    found: dict[str, Any] = {
        name: mean([kind[name] for kind in kinds])
        for name in ("image_auroc", "pixel_auroc", "au_spro")
    }
    at = [kind["au_spro_at"] for kind in kinds]
    found["au_spro_at"] = (
        None if None in at else {limit: mean([each[limit] for each in at]) for limit in at[0]}
    )
    counts = {name: sum(kind[name] for kind in kinds) for name in ("pictures", "regions")}
    return {**found, **counts}


def table(result: Mapping[str, Any]) -> list[str]:
    """Return the figures by kind and by flaw as lines of text; none where there are none."""
    if EVERY not in result:
        return []
    titles = {**dict.fromkeys(KINDS), BOTH: "mean of both", EVERY: "all together"}
    sections = {
        title or kind: result[kind]
        for kind, title in titles.items()
        if result.get(kind) is not None
    }
    sections |= result["flaws"]
    head = ["pictures", "regions", "AUROC", "pixel AUROC"]
    head += [f"AU-sPRO {limit:g}" for limit in LIMITS]
    rows = {}
    for name, known in sections.items():
        at = known["au_spro_at"] or {}
        cells = [known[key] for key in ("pictures", "regions", "image_auroc", "pixel_auroc")]
        rows[name] = [*cells, *(at.get(f"{limit:g}") for limit in LIMITS)]
    return [
        "",
        f"by kind of anomaly and by flaw, each with all good pictures (AU-sPRO {QUOTED:g} is the "
        "one to quote):",
        *grid(head, rows),
    ]
