"""The threshold that sorts good and defective pictures best, however many there are of each."""

from __future__ import annotations

import numpy as np

from stainless.errors import InputError
from train.verdicts.rule import PICTURE, Fitted, Labelled, Rule, in_the_gap


def fit(labelled: Labelled, parameter: float | None = None) -> Fitted:
    """Return the threshold of the highest balanced accuracy, the highest one of equals.

    Balanced accuracy is the mean of two shares: of the defective ones that are found, and of the
    good ones that pass (Youden 1950, whose index is twice that less 1). F1 and plain accuracy
    follow whichever there are more of, and where most are defective they call all of them so.

    It lies in the middle between the lowest score that it flags and the next lower one.

    Raises:
        InputError: nothing is defective, or nothing is good.
    """
    scores, defective = labelled.scores, int(labelled.defective.sum())
    good = len(scores) - defective
    if not defective or not good:
        missing = "has a defect" if not defective else "is good"
        raise InputError(f"no picture {missing}, so no threshold between them can be fitted")
    values = np.unique(scores)[::-1]
    flagged = np.searchsorted(np.sort(-scores), -values, "right")
    found = np.searchsorted(np.sort(-scores[labelled.defective]), -values, "right")
    # In whole numbers, so that equals are equal.
    gain = found * good - (flagged - found) * defective
    best = int(gain.argmax())
    alarms = int(flagged[best] - found[best])
    accuracy = (found[best] / defective + 1 - alarms / good) / 2
    how = {"balanced_accuracy": float(accuracy), "found": int(found[best]), "defective": defective}
    how |= {"false_alarms": alarms, "good": good}
    line = (
        f"balanced accuracy {accuracy:.4f}, {found[best]} of {defective} defective and {alarms} of "
        f"{good} good pictures flagged"
    )
    return Fitted(in_the_gap(scores, float(values[best])), RULE.name, how, line)


RULE = Rule(
    "balanced",
    "highest mean of the shares of defective pictures found and of good ones passed",
    fit,
    of=(PICTURE,),
    needs_nominal=True,
)
