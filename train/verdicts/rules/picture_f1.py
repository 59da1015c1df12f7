"""The threshold of the highest F1 over whole pictures: how well defective ones are sorted out."""

from __future__ import annotations

import numpy as np

from stainless.errors import InputError
from train.verdicts.rule import PICTURE, Fitted, Labelled, Rule, in_the_gap


def fit(labelled: Labelled, parameter: float | None = None) -> Fitted:
    """Return the threshold with the highest F1, the highest one of equals.

    It lies in the middle between the lowest score that it flags and the next lower one.

    Raises:
        InputError: nothing is defective, so that every threshold is as good.
    """
    total = int(labelled.defective.sum())
    if not total:
        raise InputError("no picture has a defect, so no threshold of the highest F1 can be fitted")
    values = np.unique(labelled.scores)[::-1]
    flagged = np.searchsorted(np.sort(-labelled.scores), -values, "right")
    hits = np.searchsorted(np.sort(-labelled.scores[labelled.defective]), -values, "right")
    f1 = 2 * hits / (flagged + total)
    best = int(f1.argmax())
    false, good = int(flagged[best] - hits[best]), len(labelled.nominal)
    how = {"f1": float(f1[best]), "found": int(hits[best]), "defective": total}
    how |= {"false_alarms": false, "good": good}
    line = (
        f"picture F1 {f1[best]:.4f}, {hits[best]} of {total} defective and {false} of {good} good "
    )
    caution = None if good else "no picture is good, so the threshold lets everything be anomalous"
    return Fitted(
        in_the_gap(labelled.scores, float(values[best])),
        RULE.name,
        how,
        f"{line}pictures flagged",
        caution,
    )


RULE = Rule("picture-f1", "highest F1 over whole pictures", fit, of=(PICTURE,))
