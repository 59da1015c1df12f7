"""The threshold that turns an anomaly map into a verdict, fitted on a validation split."""

from __future__ import annotations

import math

from stainless.errors import InputError
from train.metrics.pixels import F1Max, f1_max
from train.metrics.records import Records


def fit_threshold(records: Records) -> F1Max:
    """Return the threshold with the highest pixel F1 on a validation split, and that F1.

    Never fit it on the images that are judged with it: the F1 would be the best that there is, not
    the one to expect.

    Raises:
        InputError: no image has a defective pixel, so that every threshold is as good.
    """
    best = f1_max(lambda: (record.pixels() for record in records()))
    if math.isnan(best.threshold):
        raise InputError(
            "no defective pixel in the validation split, so no threshold can be fitted"
        )
    return best
