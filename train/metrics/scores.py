"""Anomaly maps as ordered integers, and the one rule that makes a pixel anomalous."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from stainless.errors import InputError

_SIGN = np.uint32(1 << 31)


@dataclass(frozen=True)
class Pixels:
    """The pixels of one image that count, in no particular order.

    Attributes:
        name: of the image, for error messages.
        scores: (N,) float32.
        positive: (N,) bool, the ground truth.
        weights: (P,) float64, one per positive pixel in their order; None where nobody needs it.
    """

    name: str
    scores: np.ndarray
    positive: np.ndarray
    weights: np.ndarray | None = None


#: Gives the images anew at every call, so that a metric can read them more than once.
Maps = Callable[[], Iterable[Pixels]]


def pixels(
    name: str,
    scores: np.ndarray,
    mask: np.ndarray,
    ignore: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Pixels:
    """Check an anomaly map against its ground truth and flatten both.

    Args:
        name: of the image, for error messages.
        scores: (H, W) anomaly map; taken as float32.
        mask: (H, W) bool, what is defective.
        ignore: (H, W) bool, pixels to leave out; None for none.
        weights: (H, W) float64, weight of the positive pixels; None for none.

    Raises:
        InputError: the shapes differ or a score is not finite; names the image.
    """
    scores = np.asarray(scores, np.float32)
    if scores.ndim != 2 or scores.shape != mask.shape:
        raise InputError(f"{name}: anomaly map is {scores.shape}, ground truth {mask.shape}")
    if not np.isfinite(scores).all():
        what = "NaN" if np.isnan(scores).any() else "infinite values"
        raise InputError(f"{name}: anomaly map has {what}")
    positive = mask.astype(bool, copy=False)
    if ignore is not None:
        scores, positive = scores[~ignore], positive[~ignore]
        weights = weights[~ignore] if weights is not None else None
    kept = weights[positive] if weights is not None else None
    return Pixels(name, scores.ravel(), positive.ravel(), kept)


def anomalous(scores: np.ndarray, threshold: float) -> np.ndarray:
    """Return which scores are anomalous: those at or above the threshold, compared as float32.

    At, not only above, because the best threshold is then a score that occurs, whatever number
    lies next to it.
    """
    return scores >= np.float32(threshold)


def to_keys(scores: np.ndarray) -> np.ndarray:
    """Return uint32 numbers that order as the float32 scores do; -0.0 equals 0.0."""
    bits = (scores + np.float32(0)).view(np.uint32)
    # Flip every bit of a negative number and the sign alone of another.
    return bits ^ ((bits.view(np.int32) >> 31).view(np.uint32) | _SIGN)


def from_keys(keys: np.ndarray) -> np.ndarray:
    """Return the (N,) float32 scores of `to_keys`' numbers."""
    return (keys ^ (((keys >> 31) - np.uint32(1)) | _SIGN)).view(np.float32)


def ratio(amount: float, whole: float) -> float:
    """Return amount / whole, and NaN, which stands for undefined here, where whole is 0."""
    return amount / whole if whole else float("nan")
