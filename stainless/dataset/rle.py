"""Run lengths of a mask as COCO writes them.

A mask is read column by column from the left, each downwards; its run lengths alternate between
outside and inside and begin with outside, so that a mask whose first pixel is set begins with 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

#: Five bits of a number a character, the sixth says whether more follow; 48 is "0".
BITS, MORE, FIRST = 5, 32, 48


def run_lengths(pixels: npt.NDArray[np.int64], total: int) -> npt.NDArray[np.int64]:
    """Return the run lengths of a mask.

    Args:
        pixels: the positions of its pixels, ascending.
        total: the number of pixels of the picture.
    """
    ends_here = np.flatnonzero(np.diff(pixels) != 1)
    starts = pixels[np.concatenate([[0], ends_here + 1])] if len(pixels) else pixels
    ends = pixels[np.concatenate([ends_here, [len(pixels) - 1]])] + 1 if len(pixels) else pixels
    borders = np.concatenate([[0], np.stack([starts, ends], axis=1).ravel(), [total]])
    lengths = np.diff(borders)
    # A mask that reaches the last pixel has no run outside after it.
    return lengths[:-1] if len(lengths) > 1 and lengths[-1] == 0 else lengths


def compressed(lengths: npt.NDArray[np.int64]) -> str:
    """Return run lengths as COCO's text.

    From the fourth on, each is written as its difference to the one before the last, in digits of
    five bits, the lowest first, negative numbers in two's complement.
    """
    rest = lengths.astype(np.int64)
    rest[3:] -= lengths[1:-2]
    columns, used = [], []
    going = np.ones(len(rest), bool)
    while going.any():
        digit = rest & 31
        rest = rest >> BITS
        # The sign bit of the last digit must be that of the number.
        more = np.where(digit & 16, rest != -1, rest != 0)
        columns.append(np.where(more, digit | MORE, digit) + FIRST)
        used.append(going)
        going = going & more
    text = np.stack(columns, axis=1)[np.stack(used, axis=1)]
    return text.astype(np.uint8).tobytes().decode("ascii")


def decompressed(text: str) -> npt.NDArray[np.int64]:
    """Return the run lengths that COCO's text stands for.

    Raises:
        ValueError: a character is none of its digits, or the last number is cut off.
    """
    lengths: list[int] = []
    value = shift = 0
    for character in text.encode("ascii"):
        digit = character - FIRST
        if not 0 <= digit < 2 * MORE:
            raise ValueError(f"{chr(character)!r} is no digit of a run length")
        value |= (digit & (MORE - 1)) << shift
        shift += BITS
        if digit & MORE:
            continue
        if digit & 16:
            value -= 1 << shift
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("the last run length is cut off")
    return whole(lengths)


def whole(lengths: Sequence[Any]) -> npt.NDArray[np.int64]:
    """Return run lengths as whole numbers; 3.0 is one.

    Raises:
        ValueError: one is none, or beyond 32 bits.
    """
    numbers = np.array(lengths, float)
    if not (np.abs(numbers) < 1 << 31).all() or (numbers != np.rint(numbers)).any():
        raise ValueError("a run length is no whole number of pixels")
    return numbers.astype(np.int64)


def run_mask(lengths: npt.NDArray[np.int64], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return the mask (H, W) that run lengths stand for.

    Args:
        lengths: outside and inside in turn, beginning with outside, column by column.
        size: height and width in pixels.

    Raises:
        ValueError: a length is negative, or they do not add up to the picture.
    """
    if lengths.ndim != 1 or (lengths < 0).any() or lengths.sum() != size[0] * size[1]:
        raise ValueError(f"run lengths do not fill {size[1]}x{size[0]} pixels")
    inside = np.arange(len(lengths)) % 2 == 1
    return np.repeat(inside, lengths).reshape(size[::-1]).T
