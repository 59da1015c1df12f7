"""The threshold at which most verdicts are right, such as for one area of a product."""

from __future__ import annotations

import numpy as np

from stainless.errors import InputError
from train.verdicts.rule import PICTURE, Fitted, Labelled, Rule, in_the_gap


def fit(labelled: Labelled, parameter: float | None = None) -> Fitted:
    """Return the threshold of the highest accuracy, the highest one of equals.

    It lies in the middle between the lowest score that it flags and the next lower one; where it
    flags nothing, it is the number next above the highest score.

    Raises:
        InputError: there is no score.
    """
    scores, total = labelled.scores, int(labelled.defective.sum())
    if not len(scores):
        raise InputError("there is no score, so no threshold can be fitted")
    known = np.unique(scores)[::-1]
    above = np.nextafter(known[:1], np.asarray(np.inf, known.dtype))
    values = np.concatenate([above, known])
    flagged = np.searchsorted(np.sort(-scores), -values, "right")
    hits = np.searchsorted(np.sort(-scores[labelled.defective]), -values, "right")
    right = hits + (len(scores) - total) - (flagged - hits)
    best = int(right.argmax())
    how = {"accuracy": float(right[best] / len(scores)), "pictures": len(scores)}
    line = f"accuracy {how['accuracy']:.4f} on {len(scores)} scores"
    return Fitted(in_the_gap(scores, float(values[best])), RULE.name, how, line)


RULE = Rule("accuracy", "most verdicts are right", fit, of=(PICTURE,), needs_defects=False)
