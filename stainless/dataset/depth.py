"""How deep pictures are and which of their values is white: one depth for all that a model sees.

A camera of 10, 12 or 14 bits stores its values in 16, mostly in the low ones: read at full range,
such a picture is left with a few levels of grey. White is told by an option, by the file's tags, or
by nobody; then a warning says which value it seems to be.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from stainless.dataset.images import WHITE, header_of, read, told_white
from stainless.dataset.sample import ArraySample, Sample
from stainless.errors import DataWarning, InputError

#: How many pictures of a set are looked at, evenly spread.
LOOKED_AT = 16

#: Bits of cameras; a set whose values need no more of 16 is probably of the least that holds them.
_CAMERA_BITS = (8, 10, 12, 14)


@dataclass(frozen=True)
class Depth:
    """The depth of pictures.

    Attributes:
        bits: of a stored value: 8, 16, or 32 for floating point.
        white_level: the value that becomes 255; 255 of 8 bits, 1 of floating point.
    """

    bits: int = 8
    white_level: int = 255

    def __str__(self) -> str:
        return f"{self.bits} bits with white at {self.white_level}"

    def record(self) -> dict[str, int]:
        """Return it as JSON, for a model's file."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Depth:
        """Return what `record` wrote.

        Raises:
            InputError: something else did.
        """
        try:
            return cls(int(record["bits"]), int(record["white_level"]))
        except (KeyError, TypeError, ValueError):
            raise InputError(f"depth is {record!r}, expected bits and white_level") from None


def common_depth(samples: Sequence[Sample]) -> Depth:
    """Return the depth of a set of pictures, that of most of those that are looked at.

    A `DataWarning` says that it is mixed, or that 16-bit pictures whose white nobody has told use
    no more than a quarter of their range.

    Raises:
        InputError: a picture cannot be read.
    """
    found: dict[Depth, list[Sample]] = {}
    highest = 0
    for sample in _spread(samples):
        depth, value = _depth_of(sample)
        found.setdefault(depth, []).append(sample)
        highest = max(highest, value)
    if not found:
        return Depth()
    depth = max(found, key=lambda key: (len(found[key]), key.bits, key.white_level))
    if len(found) > 1:
        other = next(key for key in found if key != depth)
        warnings.warn(
            f"{found[other][0].image}: has {other}, but {found[depth][0].image} has {depth}; "
            "one set should have one depth",
            DataWarning,
            stacklevel=2,
        )
    bits = next((bits for bits in _CAMERA_BITS if highest < 1 << bits), 16)
    if depth == Depth(16, WHITE) and samples[0].white_level is None and bits < 16 and highest:
        warnings.warn(
            f"{found[depth][0].image}: 16-bit pictures with values up to {highest} only, of "
            f"{WHITE}; if the camera has {bits} bits, give --white-level {(1 << bits) - 1}",
            DataWarning,
            stacklevel=2,
        )
    return depth


def record_depth(metadata: dict[str, Any], samples: Sequence[Sample]) -> None:
    """Keep in a model's metadata, as "depth", what depth the first pictures it learned had.

    A `DataWarning` says that these have another; see `common_depth` for more.

    Raises:
        InputError: a picture cannot be read.
    """
    depth = common_depth(samples)
    known = Depth.from_record(metadata.setdefault("depth", depth.record()))
    if known != depth:
        warnings.warn(
            f"{samples[0].image}: has {depth}, but the model learned pictures of {known}",
            DataWarning,
            stacklevel=2,
        )


def at_depth(samples: Sequence[Sample], depth: Depth) -> list[Sample]:
    """Return samples that are read with a model's white level where nobody gave another.

    A `DataWarning` says that pictures have another depth than those that the model learned; what
    cannot be read is left to whoever loads it.
    """
    told = depth.white_level if depth.bits == 16 and depth.white_level != WHITE else None
    for sample in _spread(samples):
        try:
            own, _ = _depth_of(sample)
        except InputError:
            continue
        is_silent = own == Depth(16, WHITE) and depth.bits == 16 and sample.white_level is None
        if own != depth and not is_silent:
            warnings.warn(
                f"{sample.image}: has {own}, but the model learned pictures of {depth}",
                DataWarning,
                stacklevel=2,
            )
            break
    return [
        sample
        if sample.white_level or isinstance(sample, ArraySample)
        else replace(sample, white_level=told)
        for sample in samples
    ]


def _spread(samples: Sequence[Sample]) -> Sequence[Sample]:
    return samples[:: max(1, len(samples) // LOOKED_AT)]


def _depth_of(sample: Sample) -> tuple[Depth, int]:
    """Return the depth of a picture, and its highest value."""
    if isinstance(sample, ArraySample):
        return Depth(), 255
    bits = header_of(sample.image).bits
    if bits is not None and bits <= 8:
        return Depth(), 255
    pixels, header = read(sample.image)
    highest = pixels.max()
    if pixels.dtype == np.uint16:
        return Depth(16, sample.white_level or told_white(pixels, header)), int(highest)
    if pixels.dtype.kind == "f":
        return Depth(32, 1), 1
    return Depth(), 255
