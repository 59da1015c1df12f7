"""The threshold with a promise, from good pictures alone: a bound on false alarms that holds."""

from __future__ import annotations

import numpy as np

from stainless.streams import DATASET, Stream, seed_sequence
from train.verdicts import conformal
from train.verdicts.rule import PICTURE, PIXEL, PRODUCT, Fitted, Labelled, Rule


def fit(labelled: Labelled, parameter: float | None = None) -> Fitted:
    """Return the threshold at which a good picture is flagged with at most a given probability.

    The promise is of a new good picture, from the process that the calibration pictures came from,
    which nothing was learned from; it holds on average over calibrations. Pictures of one group,
    such as the photographs of one part, tell much the same, so that each group counts once, with
    one of its pictures drawn at random.

    Args:
        labelled: only what is nominal counts.
        parameter: the promised probability of a false alarm.

    Raises:
        InputError: too few good pictures; the line says how many are needed.
    """
    level = DEFAULT if parameter is None else parameter
    scores, groups = labelled.nominal, labelled.nominal_groups
    rng = np.random.default_rng(seed_sequence(0, DATASET, Stream.CALIBRATION))
    units = conformal.one_of_each(scores, groups, rng)
    value = conformal.threshold(units, level)
    how = {
        "level": level,
        "good": len(scores),
        "groups": len(units),
        "calibration": np.sort(units).tolist(),
    }
    line = f"at most {level:.2%} false alarms promised by {len(units)} independent good scores"
    return Fitted(value, RULE.name, how, line)


DEFAULT = 0.05

RULE = Rule(
    "guarantee",
    "a good picture is flagged with at most this probability; needs no defect",
    fit,
    of=(PIXEL, PICTURE, PRODUCT),
    needs_defects=False,
    promises=True,
    parameter="LEVEL",
    default=DEFAULT,
)
