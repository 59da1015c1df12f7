"""Areas of a product, each with a score, a threshold and a verdict of its own.

The score of an area is the highest pixel of the anomaly map in it. A product is rejected where any
of its areas is (`train.verdicts.aggregation`), so that k areas, each with false alarms on at most a
share p of good products, reject at most the share k * p of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stainless.errors import InputError
from train.verdicts.aggregation import worst_of_each
from train.verdicts.rule import Labelled

if TYPE_CHECKING:
    from train.metrics import Records

#: Key of the threshold of an area in a model: this and the area's name.
AREA = "area "

#: Gives the areas that a picture shows by its name, (H, W) bool each.
Areas = Callable[[str], Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class AreaReading:
    """An area in a picture.

    Attributes:
        area: its name.
        group: of the picture, the product.
        score: highest pixel of the anomaly map in it.
        defective: whether a defect is marked in it; of a picture without masks, whether it has any.
    """

    area: str
    group: str
    score: float
    defective: bool


def area_scores(anomaly_map: np.ndarray, areas: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the highest pixel of an (H, W) map in each area that is not empty.

    Raises:
        InputError: an area is of another size than the map.
    """
    for name, mask in areas.items():
        if mask.shape != anomaly_map.shape:
            height, width = mask.shape
            raise InputError(
                f"area {name!r} is of {width}x{height} pixels, the picture of "
                f"{anomaly_map.shape[1]}x{anomaly_map.shape[0]}"
            )
    return {name: float(anomaly_map[mask].max()) for name, mask in areas.items() if mask.any()}


def read_areas(records: Records, areas: Areas) -> list[AreaReading]:
    """Return what the areas of pictures score, picture by picture.

    Raises:
        InputError: no picture has an area, or a method gives no anomaly map.
    """
    found = []
    for record in records():
        if record.scores is None:
            raise InputError("areas: the method gives no anomaly map, which their scores are of")
        shown = areas(record.name)
        for name, score in area_scores(record.score_map(), shown).items():
            defective = record.defective
            if record.mask is not None:
                defective = bool(record.mask[shown[name]].any())
            found.append(AreaReading(name, record.group, score, defective))
    if not found:
        raise InputError(
            "areas: no picture has any, expected annotations/areas.json and an _area.png beside "
            "the class map of each"
        )
    return found


def labelled_areas(readings: Iterable[AreaReading]) -> dict[str, Labelled]:
    """Return what thresholds of areas are fitted to, by name."""
    by_name: dict[str, list[AreaReading]] = {}
    for reading in readings:
        by_name.setdefault(reading.area, []).append(reading)
    return {
        name: Labelled(
            np.array([reading.score for reading in own], np.float32),
            np.array([reading.defective for reading in own]),
            groups=np.array([reading.group for reading in own]),
        )
        for name, own in sorted(by_name.items())
    }


def area_thresholds(thresholds: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the thresholds of areas among those of a model, by name."""
    return {
        key.removeprefix(AREA): float(entry["value"])
        for key, entry in thresholds.items()
        if key.startswith(AREA)
    }


def counted(flagged: np.ndarray, defective: np.ndarray, threshold: float | None) -> dict[str, Any]:
    """Return, JSON-able, how verdicts on good and defective things turn out."""
    good = int((~defective).sum())
    alarms = int((flagged & ~defective).sum())
    return {
        "threshold": threshold,
        "good": good,
        "false_alarms": alarms,
        "false_alarm_rate": alarms / good if good else None,
        "defective": int(defective.sum()),
        "found": int((flagged & defective).sum()),
    }


def area_results(
    readings: Sequence[AreaReading], thresholds: Mapping[str, float]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return how the verdicts on areas turn out by name, and those on products by their areas.

    Raises:
        InputError: an area has no threshold.
    """
    known = labelled_areas(readings)
    unknown = sorted(set(known) - set(thresholds))
    if unknown:
        raise InputError(f"area {unknown[0]!r}: the model has no threshold of it, expected one")
    areas = {
        name: counted(own.scores >= thresholds[name], own.defective, thresholds[name])
        for name, own in known.items()
    }
    groups = np.array([reading.group for reading in readings])
    flagged = np.array([reading.score >= thresholds[reading.area] for reading in readings])
    defective = np.array([reading.defective for reading in readings])
    return areas, counted(worst_of_each(flagged, groups), worst_of_each(defective, groups), None)


def product_results(rows: Sequence[Mapping[str, Any]], threshold: float) -> dict[str, Any]:
    """Return how the verdicts on products turn out, each as anomalous as its worst picture.

    Args:
        rows: "per_image" of what `evaluate` returns.
        threshold: of products.
    """
    groups = np.array([row["group"] for row in rows])
    worst = worst_of_each(np.array([row["score"] for row in rows], float), groups)
    defective = worst_of_each(np.array([row["defective"] for row in rows], bool), groups)
    return counted(worst >= threshold, defective, threshold)


def described(title: str, found: Mapping[str, Any]) -> str:
    """Return what `counted` returned, in a line."""
    at = "" if found["threshold"] is None else f" at {found['threshold']:.6g}"
    rate = found["false_alarm_rate"]
    share = "" if rate is None else f" ({rate:.2%})"
    return (
        f"{title}{at}: false alarms on {found['false_alarms']} of {found['good']} good{share}, "
        f"{found['found']} of {found['defective']} defective found"
    )
