"""The threshold of the highest F1 over all pixels: how well defects are outlined."""

from __future__ import annotations

import math

from stainless.errors import InputError
from train.verdicts.rule import PIXEL, Fitted, Labelled, Rule


def fit(labelled: Labelled, parameter: float | None = None) -> Fitted:
    """Return the threshold with the highest pixel F1, the highest one of equals; exact.

    Raises:
        InputError: no pixel is defective, so that every threshold is as good.
    """
    from train.metrics.pixels import f1_max

    f1, value = (math.nan, math.nan) if labelled.maps is None else f1_max(labelled.maps)
    if math.isnan(value):
        raise InputError(
            "no defective pixel in the validation split, so no threshold can be fitted"
        )
    return Fitted(value, RULE.name, {"f1": f1}, f"pixel F1 {f1:.4f}")


RULE = Rule(
    "pixel-f1",
    "highest F1 over all pixels",
    fit,
    of=(PIXEL,),
    needs_masks=True,
)
