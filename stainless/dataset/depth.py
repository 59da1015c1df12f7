"""How deep pictures are and which of their values is white: one depth for all that a model sees.

A camera of 10, 12 or 14 bits stores its values in 16, mostly in the low ones: read at full range,
such a picture is left with a few levels of grey. White is told by an option, by the file's tags, or
by nobody; then a warning says which value it seems to be.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stainless.dataset.headers import Header, read_depth
from stainless.dataset.images import WHITE, read, told_white
from stainless.dataset.sample import ArraySample, Sample
from stainless.errors import DataWarning, InputError

#: Of how many pictures, evenly spread, the values are looked at; the headers are of all.
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

    @property
    def is_full(self) -> bool:
        """Whether white is the highest value: whatever the bits, all such pictures look alike."""
        return self.bits != 16 or self.white_level == WHITE

    def agrees(self, other: Depth) -> bool:
        """Tell whether pictures of both can be learned by one model."""
        return self == other or (self.is_full and other.is_full)

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
    """Return the depth of a set of pictures, that of most of them.

    A `DataWarning` says that it is mixed, or that 16-bit pictures whose white nobody has told use
    no more than a quarter of their range.

    Raises:
        InputError: a picture cannot be read.
    """
    depths, highest = _depths(samples)
    found: dict[Depth, list[Sample]] = {}
    for sample, each in zip(samples, depths, strict=True):
        if isinstance(each, InputError):
            raise each
        found.setdefault(each, []).append(sample)
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
    whole = Depth(16, WHITE)
    bits = next((bits for bits in _CAMERA_BITS if highest < 1 << bits), 16)
    silent = [sample for sample in found.get(whole, ()) if sample.white_level is None]
    if silent and bits < 16 and highest:
        warnings.warn(
            f"{silent[0].image}: 16-bit pictures with values up to {highest} only, of "
            f"{WHITE}; if the camera has {bits} bits, give --white-level {(1 << bits) - 1}",
            DataWarning,
            stacklevel=2,
        )
    return depth


def depth_of(metadata: Mapping[str, Any]) -> Depth | None:
    """Return the depth that a model's metadata has; None where nobody has kept it.

    Raises:
        InputError: it is no depth.
    """
    known = metadata.get("depth")
    return None if known is None else Depth.from_record(known)


def read_as_learned(metadata: Mapping[str, Any], samples: Sequence[Sample]) -> list[Sample]:
    """Return samples that a model is to learn, read at its white level where nobody tells another.

    Raises:
        InputError: as `depth_of`.
    """
    depth = depth_of(metadata)
    if depth is None or depth.is_full:
        return list(samples)
    return _told(samples, _depths(samples)[0], depth)


def record_depth(
    metadata: dict[str, Any], samples: Sequence[Sample], is_first: bool = True
) -> None:
    """Keep in a model's metadata, as "depth", what depth the first pictures it learned had.

    A `DataWarning` says that these have other bits, though all of their range, or that nobody has
    kept what it learned before; see `common_depth` for more.

    Args:
        metadata: of the model.
        samples: what it is about to learn.
        is_first: whether it has learned nothing yet.

    Raises:
        InputError: these have another white than what the model learned, or a picture cannot be
            read.
    """
    known = depth_of(metadata)
    if known is not None:
        # Arrays are of 8 bits already, by whatever way.
        samples = [sample for sample in samples if not isinstance(sample, ArraySample)]
    if not samples:
        return
    depth = common_depth(samples)
    if known is None:
        metadata["depth"] = depth.record()
        if not is_first and not depth.is_full:
            warnings.warn(
                f"{samples[0].image}: has {depth}, but the model does not say what it learned",
                DataWarning,
                stacklevel=2,
            )
    elif known != depth:
        line = f"{samples[0].image}: has {depth}, but the model learned pictures of {known}"
        if not known.agrees(depth):
            raise InputError(f"{line}; one model has one depth")
        warnings.warn(line, DataWarning, stacklevel=2)


def melded_depth(models: Sequence[tuple[str, Mapping[str, Any]]]) -> Depth | None:
    """Return the depth of the melding of models, that of the first that knows its own.

    A `DataWarning` says that another does not know its own, which is then taken for the same, or
    has other bits, though all of their range.

    Args:
        models: name and metadata of each.

    Raises:
        InputError: two have learned pictures of different white.
    """
    depths = [(name, depth_of(metadata)) for name, metadata in models]
    first, depth = next((known for known in depths if known[1] is not None), ("", None))
    if depth is None:
        return None
    for name, other in depths:
        if other is None and not depth.is_full:
            # Without a word all pictures were read at full range.
            line = f"{name}: does not say which depth it learned, {first} learned {depth}"
        elif other is None or other == depth:
            continue
        else:
            line = f"{name}: has learned pictures of {other}, {first} of {depth}"
            if not depth.agrees(other):
                raise InputError(f"{line}; these do not meld")
        warnings.warn(line, DataWarning, stacklevel=2)
    return depth


def at_depth(samples: Sequence[Sample], depth: Depth) -> list[Sample]:
    """Return samples that are read with a model's white level where nobody gave another.

    A `DataWarning` says that pictures have another depth than those that the model learned; what
    cannot be read is left to whoever loads it.
    """
    depths, _ = _depths(samples)
    for sample, own in zip(samples, depths, strict=True):
        if isinstance(own, Depth) and own != depth and not _is_silent(sample, own, depth):
            warnings.warn(
                f"{sample.image}: has {own}, but the model learned pictures of {depth}",
                DataWarning,
                stacklevel=2,
            )
            break
    return _told(samples, depths, depth)


def _told(
    samples: Sequence[Sample], depths: Sequence[Depth | InputError], depth: Depth
) -> list[Sample]:
    """Return samples, those of whose white nobody tells with that of a depth."""
    return [
        replace(sample, white_level=depth.white_level)
        if not depth.is_full and isinstance(own, Depth) and _is_silent(sample, own, depth)
        else sample
        for sample, own in zip(samples, depths, strict=True)
    ]


def _is_silent(sample: Sample, own: Depth, depth: Depth) -> bool:
    """Tell whether nobody tells which value of a picture is white, so that a model's serves."""
    return own == Depth(16, WHITE) and depth.bits == 16 and sample.white_level is None


def _depths(samples: Sequence[Sample]) -> tuple[list[Depth | InputError], int]:
    """Return the depth of every picture, or why it has none, and the highest 16-bit value.

    The header of every picture is read. Of pictures whose headers agree, the values of some are
    looked at where they matter, and the rest taken for alike.
    """
    found: dict[int, Depth | InputError] = {}
    alike: dict[tuple[Any, ...], list[int]] = {}
    highest = 0
    for number, sample in enumerate(samples):
        if isinstance(sample, ArraySample):
            found[number] = Depth()
            continue
        try:
            header = _header(sample.image)
        except InputError as error:
            found[number] = error
            continue
        if header.bits is not None and header.bits <= 8:
            found[number] = Depth()
            continue
        tags = (header.bits, header.significant_bits, header.white, sample.white_level)
        alike.setdefault(tags, []).append(number)
    for members in alike.values():
        usual: Counter[Depth] = Counter()
        for number in members[:: max(1, len(members) // LOOKED_AT)]:
            try:
                depth, value = _depth_of(samples[number])
            except InputError as error:
                found[number] = error
                continue
            found[number] = depth
            usual[depth] += 1
            if _is_silent(samples[number], depth, depth):
                highest = max(highest, value)
        rest = usual.most_common(1)[0][0] if usual else found[members[0]]
        for number in members:
            found.setdefault(number, rest)
    return [found[number] for number in range(len(samples))], highest


def _header(path: Path) -> Header:
    try:
        with path.open("rb") as file:
            return read_depth(file)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


def _depth_of(sample: Sample) -> tuple[Depth, int]:
    """Return the depth of a picture, and its highest value if it has 16 bits."""
    pixels, header = read(sample.image)
    if pixels.dtype == np.uint16:
        white = sample.white_level or told_white(pixels, header)
        return Depth(16, white), int(pixels.max())
    return (Depth(32, 1) if pixels.dtype.kind == "f" else Depth()), 0
