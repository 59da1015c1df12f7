"""The threshold that a given share of nominal pictures may reach; it needs no defect."""

from __future__ import annotations

import math

import numpy as np

from stainless.errors import InputError
from train.verdicts.rule import PICTURE, PIXEL, Fitted, Labelled, Rule


def fit(labelled: Labelled, parameter: float | None = None) -> Fitted:
    """Return the smallest threshold that at most a share of the nominal scores reaches.

    The scores of pictures give the threshold of pictures; the highest pixel of each gives the
    threshold of pixels at which at most that share of the pictures has a flagged pixel. Scores that
    are equal are flagged together or not at all. Of N pictures that come from the same process as
    another one, that one is flagged with a probability of at most (k + 1) / (N + 1), k being how
    many of the N may be flagged.

    Args:
        labelled: only what is nominal counts.
        parameter: the share, from 0 to below 1.

    Raises:
        InputError: the share is out of range, or nothing is nominal.
    """
    share = DEFAULT if parameter is None else parameter
    if not 0 <= share < 1:
        raise InputError(f"--{RULE.name}: {share:g}, expected from 0 to below 1")
    scores = labelled.nominal
    number = len(scores)
    if not number:
        raise InputError("no picture is good, so no share of false alarms can be fitted")
    # The largest k with k / number <= share; the product alone may be rounded down below it.
    allowed = math.floor(share * number)
    allowed += (allowed + 1) / number <= share
    limit = np.sort(scores)[::-1][allowed]
    value = np.nextafter(limit, np.asarray(np.inf, scores.dtype))
    flagged = int(np.count_nonzero(scores >= value))
    expected = (allowed + 1) / (number + 1)
    how = {"share": share, "good": number, "false_alarms": flagged, "reached": flagged / number}
    how["expected_at_most"] = expected
    line = (
        f"false alarms on {flagged} of {number} good pictures ({flagged / number:.2%}, at most "
        f"{share:.2%} wanted), of new ones at most {expected:.2%} expected"
    )
    caution = None
    if share and number * share < 1:
        caution = (
            f"{number} good pictures are too few for a share of {share:g}, which needs "
            f"{math.ceil(1 / share)}: none of them may be flagged"
        )
    return Fitted(float(value), RULE.name, how, line, caution)


DEFAULT = 0.05

RULE = Rule(
    "false-alarms",
    "at most a share of the good pictures is flagged; needs no defect",
    fit,
    of=(PIXEL, PICTURE),
    needs_defects=False,
    needs_nominal=True,
    parameter="SHARE",
    default=DEFAULT,
)
