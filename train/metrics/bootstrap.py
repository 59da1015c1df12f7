"""How sure a difference between two methods is: a paired bootstrap over groups.

Both methods are judged on the same images. Images of one group (photographs of one part) resemble
each other, so whole groups are drawn, with replacement, as many as there are; every draw gives one
difference, and their middle 95 % the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stainless.errors import InputError
from train.metrics.images import false_alarm_rate, image_auroc
from train.metrics.scores import ratio

#: A metric of a selection of images, given as indices that may repeat.
Metric = Callable[[np.ndarray], float]


class Interval(NamedTuple):
    """A difference (second minus first) and the bounds that it probably lies in."""

    difference: float
    low: float
    high: float


def paired_bootstrap(
    first: Metric,
    second: Metric,
    groups: Sequence[str],
    seed: int,
    rounds: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Return the difference of a metric between two methods with its percentile interval.

    Args:
        first: the metric of the one method, by image indices.
        second: the metric of the other method, of the same images in the same order.
        groups: the group of every image.
        seed: of the draws; the same seed gives the same interval.
        rounds: number of draws.
        level: share of the draws inside the interval.

    Returns:
        second minus first. Draws in which a metric is undefined (no defective image drawn, say)
        are left out; if all are, the bounds are NaN.
    """
    names, member = np.unique(np.asarray(groups, str), return_inverse=True)
    images = [np.flatnonzero(member == number) for number in range(len(names))]
    rng = np.random.default_rng(seed)
    differences = []
    for _ in range(rounds if images else 0):
        drawn = np.concatenate([images[n] for n in rng.integers(0, len(images), len(images))])
        differences.append(second(drawn) - first(drawn))
    defined = np.array([value for value in differences if not np.isnan(value)])
    every = np.arange(len(member))
    difference = second(every) - first(every)
    if not len(defined):
        return Interval(difference, float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(difference, float(low), float(high))


def compare(
    first: Sequence[Mapping[str, Any]],
    second: Sequence[Mapping[str, Any]],
    seed: int,
    rounds: int = 2000,
) -> dict[str, Interval]:
    """Return the interval of every metric that single images add up to.

    Args:
        first: the rows "per_image" of one `evaluate`.
        second: those of another on the same images, in any order.
        seed: of the draws.
        rounds: number of draws.

    Returns:
        Interval by metric: image_auroc, false_alarm_rate, pixel_f1, pixel_precision, pixel_recall
        and mean_defect_recall, second minus first.

    Raises:
        InputError: the images or their ground truth differ.
    """
    return _compared(first, second, _metrics, seed, rounds)


def compare_class(
    first: Sequence[Mapping[str, Any]],
    second: Sequence[Mapping[str, Any]],
    name: str,
    seed: int,
    rounds: int = 2000,
) -> dict[str, Interval]:
    """Return the intervals of one class' pixel_recall and mean_recall; otherwise as `compare`."""
    return _compared(first, second, lambda rows: _class_metrics(rows, name), seed, rounds)


def _compared(
    first: Sequence[Mapping[str, Any]],
    second: Sequence[Mapping[str, Any]],
    metrics_of: Callable[[Sequence[Mapping[str, Any]]], dict[str, Metric]],
    seed: int,
    rounds: int,
) -> dict[str, Interval]:
    rows = [sorted(each, key=lambda row: row["name"]) for each in (first, second)]
    for key in ("name", "label", "group", "defects"):
        if [row[key] for row in rows[0]] != [row[key] for row in rows[1]]:
            raise InputError(f"the two evaluations are of different images: their {key}s differ")
    groups = [row["group"] for row in rows[0]]
    metrics = zip(metrics_of(rows[0]).items(), metrics_of(rows[1]).values(), strict=True)
    return {
        name: paired_bootstrap(one, other, groups, seed, rounds) for (name, one), other in metrics
    }


def _shares(part: np.ndarray, whole: np.ndarray) -> Metric:
    return lambda drawn: ratio(float(part[drawn].sum()), float(whole[drawn].sum()))


def _class_metrics(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, Metric]:
    nothing = {"pixels": 0, "found": 0, "instances": 0, "recall_sum": 0.0}
    of = [row["classes"].get(name, nothing) for row in rows]
    column = {key: np.array([one[key] for one in of], float) for key in nothing}
    return {
        "pixel_recall": _shares(column["found"], column["pixels"]),
        "mean_recall": _shares(column["recall_sum"], column["instances"]),
    }


def _metrics(rows: Sequence[Mapping[str, Any]]) -> dict[str, Metric]:
    column = {key: np.array([row[key] for row in rows]) for key in (rows[0] if rows else {})}
    if not rows:
        return {}
    hit, false, missed = (column[f"pixel_{kind}"] for kind in ("tp", "fp", "fn"))

    return {
        "image_auroc": lambda drawn: image_auroc(
            column["score"][drawn], column["defective"][drawn]
        ),
        "false_alarm_rate": lambda drawn: false_alarm_rate(
            column["flagged"][drawn], column["defective"][drawn]
        ),
        "pixel_f1": _shares(2 * hit, 2 * hit + false + missed),
        "pixel_precision": _shares(hit, hit + false),
        "pixel_recall": _shares(hit, hit + missed),
        "mean_defect_recall": _shares(column["defect_recall_sum"], column["defects"]),
    }
