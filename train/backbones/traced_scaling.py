"""Bilinear scaling of pictures whose size is not known yet, as a traced network wants it.

The same weights as PyTorch's own interpolation, in the same float32 numbers, as two small matrices.
Runtimes have operators for it, but each takes scale and rounding of sizes otherwise.
"""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import Tensor

from stainless.errors import InputError

#: Largest denominator of a factor, which is taken as a fraction so that sizes are exact.
DENOMINATOR = 10_000


def scaled(images: Tensor, scale: float) -> Tensor:
    """Return (..., H, W) scaled along both axes, with an antialiasing filter where it shrinks.

    Raises:
        InputError: the factor is no such fraction.
    """
    if abs(float(Fraction(scale).limit_denominator(DENOMINATOR)) - scale) > 1e-13 * scale:
        raise InputError(f"scale {scale}: expected a fraction of at most {DENOMINATOR} parts")
    down, across = (_matrix(length, scale) for length in images.shape[-2:])
    return down @ images @ across.T


def _matrix(length: int, scale: float) -> Tensor:
    """Return the (scaled length, length) weights of an axis, rows summing to 1."""
    factor = Fraction(scale).limit_denominator(DENOMINATOR)
    places = torch.arange(length * factor.numerator // factor.denominator).float()
    centres = (places + 0.5) * torch.tensor(1 / scale, dtype=torch.float32)
    apart = (torch.arange(length).float() - (centres[:, None] - 0.5)).abs()
    weights = (1 - apart * min(scale, 1.0)).clamp(min=0)
    return weights / weights.sum(1, keepdim=True)
