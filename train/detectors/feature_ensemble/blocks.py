"""The transformation blocks, fitted to what the members give of nominal pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stainless.errors import InputError
from train.detectors.feature_ensemble.components import Covariance
from train.detectors.feature_ensemble.shares import shares
from train.detectors.feature_ensemble.transformation import (
    Placed,
    Transformation,
    largest,
    resized,
)

#: A member whose maps vary less than this share of the widest is not widened any further: it is the
#: same on all pictures, up to rounding.
FLAT = 1e-4


@dataclass(frozen=True)
class Account:
    """What became of a member's features.

    Attributes:
        width: dimensions of its features.
        maps: how many maps are its own; those of all members in a global block.
        explained: share of the variance of its features, in a global block of all features, that
            the maps have.
        weight: share of the maps' variance, before it is balanced, that comes from its features.
    """

    width: int
    maps: int
    explained: float
    weight: float

    def entry(self) -> dict[str, Any]:
        """Return it, JSON-able."""
        return asdict(self)


@dataclass(frozen=True)
class Block:
    """A fitted transformation block.

    Attributes:
        transformation: features to maps.
        spread: mean standard deviation of the maps.
        accounts: of the members.
    """

    transformation: Transformation
    spread: float
    accounts: Sequence[Account]


def individual(
    pictures: Iterable[Sequence[Placed]],
    projected: Sequence[bool],
    maps: int | None,
    balance: bool,
    key: str,
) -> Block:
    """Reduce each member to its own principal components.

    Args:
        pictures: features of all nominal pictures, of each by every member.
        projected: which members have a projection.
        maps: of all members together; None for as many as the first one's features have.
        balance: give the maps of each member the same mean spread.
        key: what the settings are below, for messages.

    Raises:
        InputError: fewer maps than members.
    """
    found: list[Covariance] = []
    for members in pictures:
        found = found or [Covariance(member.vectors.shape[2]) for member in members]
        for covariance, member in zip(found, members, strict=True):
            covariance.add(member.vectors.flatten(0, 1).cpu().numpy())
    widths = [len(covariance.mean) for covariance in found]
    kept = shares(_total(maps, widths, key), widths)
    transformation = Transformation(widths, projected, kept)
    components = [covariance.components() for covariance in found]
    spreads = [
        float(np.sqrt(each.variances[:count]).mean())
        for each, count in zip(components, kept, strict=True)
    ]
    factors = [
        1 / max(spread, FLAT * max(spreads)) if balance and max(spreads) > 0 else 1.0
        for spread in spreads
    ]
    for number, (each, count, factor) in enumerate(zip(components, kept, factors, strict=True)):
        transformation.set_axes(number, each.mean, each.axes[:, :count] * factor)
    variances = [
        float(each.variances[:count].sum()) for each, count in zip(components, kept, strict=True)
    ]
    accounts = [
        Account(
            len(each.mean), count, _share(own, each.variances.sum()), _share(own, sum(variances))
        )
        for each, count, own in zip(components, kept, variances, strict=True)
    ]
    scaled = [
        spread * factor * count
        for spread, factor, count in zip(spreads, factors, kept, strict=True)
    ]
    return Block(transformation, sum(scaled) / sum(kept), accounts)


def joint(
    pictures: Iterable[Sequence[Placed]], projected: Sequence[bool], maps: int | None, key: str
) -> Block:
    """Reduce the joined features of all members to their common principal components.

    Wide features, or widely spread ones, take most of the maps: the accounts tell.

    Args:
        pictures: as for `individual`.
        projected: likewise.
        maps: likewise.
        key: likewise.

    Raises:
        InputError: fewer maps than members.
    """
    covariance, widths = Covariance(0), [0]
    for members in pictures:
        if not covariance.count:
            widths = [member.vectors.shape[2] for member in members]
            covariance = Covariance(sum(widths))
        target = largest(members)
        vectors = [resized(member, target).flatten(0, 1).cpu().numpy() for member in members]
        covariance.add(np.concatenate(vectors, axis=1))
    count = min(_total(maps, widths, key), sum(widths))
    components = covariance.components()
    kept = components.variances[:count]
    transformation = Transformation(widths, projected, count)
    accounts, start = [], 0
    for number, width in enumerate(widths):
        own = slice(start, start + width)
        axes = components.axes[own, :count]
        transformation.set_axes(number, components.mean[own], axes)
        weight = float((np.square(axes).sum(axis=0) * kept).sum())
        explained = _share(kept.sum(), components.variances.sum())
        accounts.append(Account(width, count, explained, _share(weight, kept.sum())))
        start += width
    return Block(transformation, float(np.sqrt(kept).mean()), accounts)


def _total(maps: int | None, widths: Sequence[int], key: str) -> int:
    total = widths[0] if maps is None else maps
    if total < len(widths):
        raise InputError(
            f"{key}.maps: {total}, expected at least one of each {len(widths)} members"
        )
    return total


def _share(of: float, whole: float) -> float:
    return float(of / whole) if whole > 0 else 0.0
