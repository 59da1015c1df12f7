"""Thresholds fitted to records of a validation split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from train.metrics import Records
from train.metrics.metric import Reading, Thresholds
from train.metrics.records import maps_of
from train.verdicts.aggregation import worst_of_each
from train.verdicts.rule import PICTURE, PIXEL, PRODUCT, Fitted, Labelled, Rule


def labelled(records: Records) -> dict[str, Labelled]:
    """Return what thresholds are fitted to, by what they are of.

    Returns:
        "picture": the scores of pictures. "pixel": the highest pixel of each, and all pixels where
        every image has a map and every defect is marked; left out where any image has no map.
        "product": the score of each group's worst picture; left out where every image is a group
        of its own.

    Raises:
        InputError: as `Record.pixels`.
    """
    scores, tops, defective, names = [], [], [], []
    complete = mapped = True
    for record in records():
        reading = Reading(record, Thresholds(None))
        scores.append(reading.score)
        defective.append(record.defective)
        names.append(record.group)
        mapped &= record.scores is not None
        complete &= record.lacks is None
        tops.append(reading.top if mapped else np.nan)
    kinds, groups = np.array(defective, bool), np.array(names)
    found = {PICTURE: Labelled(np.array(scores), kinds, groups=groups)}
    if len(set(names)) < len(names):
        worst = worst_of_each(found[PICTURE].scores, groups)
        found[PRODUCT] = Labelled(worst, worst_of_each(kinds, groups))
    if mapped:
        maps = maps_of(records) if complete else None
        found[PIXEL] = Labelled(np.array(tops, np.float32), kinds, maps, groups)
    return found


def fit_thresholds(
    records: Records,
    rules: Mapping[str, Rule],
    parameters: Mapping[str, float | None] | None = None,
) -> dict[str, Fitted]:
    """Fit thresholds to records.

    Args:
        records: of a validation split.
        rules: rule of each kind of threshold.
        parameters: number of a rule by its name; without one, or None, its default.

    Returns:
        The threshold of each kind; none of pixels where an image has no map.

    Raises:
        InputError: a rule that finds no threshold.
    """
    scores = labelled(records)
    fitted = {}
    for kind, known in rules.items():
        given = (parameters or {}).get(known.name)
        if kind in scores:
            fitted[kind] = known.fit(scores[kind], known.default if given is None else given)
    return fitted


def thresholds_of(fitted: Mapping[str, Fitted]) -> Thresholds:
    """Return fitted thresholds as `evaluate` takes them."""
    values = {kind: found.value for kind, found in fitted.items()}
    return Thresholds(values.get(PIXEL), values.get(PICTURE))
