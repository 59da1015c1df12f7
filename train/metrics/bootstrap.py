"""How sure a difference between two methods is: a paired bootstrap over groups.

Both methods are evaluated on the same images. Images of one group (photographs of one object)
resemble each other, so whole groups are drawn, with replacement, as many as there are; every draw
gives one difference, and their middle 95 % the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from stainless.errors import InputError
from train.metrics.figures import CLASS_FIGURES, FIGURES
from train.metrics.metric import Resampled, Row, shares


class Interval(NamedTuple):
    """A difference (second minus first) and the bounds that it probably lies in."""

    difference: float
    low: float
    high: float


def paired_bootstrap(
    first: Resampled,
    second: Resampled,
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
    first: Sequence[Row],
    second: Sequence[Row],
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
        Interval by the key of the figure (`train.metrics.figures`), second minus first.

    Raises:
        InputError: the images or their ground truth differ.
    """
    return _compared(first, second, _figures, seed, rounds)


def compare_class(
    first: Sequence[Row],
    second: Sequence[Row],
    name: str,
    seed: int,
    rounds: int = 2000,
) -> dict[str, Interval]:
    """Return the intervals of one class' figures; otherwise as `compare`."""
    return _compared(first, second, lambda rows: _class_figures(rows, name), seed, rounds)


def _compared(
    first: Sequence[Row],
    second: Sequence[Row],
    figures_of: Callable[[Sequence[Row]], dict[str, Resampled]],
    seed: int,
    rounds: int,
) -> dict[str, Interval]:
    rows = [sorted(table, key=lambda row: row["name"]) for table in (first, second)]
    for key in ("name", "label", "group", "defects"):
        if [row.get(key) for row in rows[0]] != [row.get(key) for row in rows[1]]:
            raise InputError(f"the two evaluations are of different images: their {key}s differ")
    groups = [row["group"] for row in rows[0]]
    figures = zip(figures_of(rows[0]).items(), figures_of(rows[1]).values(), strict=True)
    return {
        key: paired_bootstrap(before, after, groups, seed, rounds)
        for (key, before), after in figures
    }


def _figures(rows: Sequence[Row]) -> dict[str, Resampled]:
    return {
        key: figure.resample(rows)
        for key, figure in FIGURES.items()
        if figure.resample is not None and rows
    }


def _class_figures(rows: Sequence[Row], name: str) -> dict[str, Resampled]:
    nothing: Row = {}
    of_class = [row.get("classes", nothing).get(name, nothing) for row in rows]
    return {
        key: shares(_of(figure.amount), _of(figure.whole))(of_class)
        for key, figure in CLASS_FIGURES.items()
    }


def _of(key: str) -> Callable[[Row], float]:
    return lambda row: row.get(key) or 0.0
