"""The settings of patch features, for every method that compares pictures by them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from stainless.errors import InputError

#: What stands between the names of networks that are joined.
JOIN = "+"


@dataclass(frozen=True)
class Features:
    """What the features of a picture are.

    Attributes:
        backbone: ImageNet network of the features, or several joined on one grid as NAME+NAME.
        stages: stages of a convolutional network, counted from 1; stage n has a stride of 2**n
            pixels.
        pool_kernel: side of the averaged neighbourhood in cells of each stage, odd.
        pool_stride: distance of patches in cells of the finest grid.
        blocks: blocks of a vision transformer, counted from 0; none for those at half and at three
            quarters of its depth, which are 5 and 8 of twelve.
        window_px: side of the windows that a vision transformer sees a picture in, a multiple of
            its patch; null for whole pictures.
        window_stride_px: pixels from a window to the next, a multiple of the patch; null for half
            of a window. Where windows overlap, the mean counts.
        scale: factor by which all pictures are enlarged before a network sees them.
        shares: what each of the joined networks counts in the squared distance; none for equal
            shares.
    """

    backbone: str = "efficientnet_lite0"
    stages: tuple[int, ...] = (3, 4)
    pool_kernel: int = 3
    pool_stride: int = 1
    blocks: tuple[int, ...] = ()
    window_px: int | None = None
    window_stride_px: int | None = None
    scale: float = 1.0
    shares: tuple[float, ...] = ()

    @property
    def features(self) -> Features:
        """These settings without those of a method that extends them."""
        return Features(**{name: getattr(self, name) for name in NAMES})

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of the networks."""
        return tuple(self.backbone.split(JOIN))

    def check(self) -> None:
        """Check the numbers that every network wants.

        Raises:
            InputError: one of them is out of its range.
        """
        if self.pool_kernel < 1 or self.pool_kernel % 2 == 0 or self.pool_stride < 1:
            raise InputError(
                f"pooling {self.pool_kernel}, stride {self.pool_stride}: expected an odd kernel, "
                "stride >= 1"
            )
        if not 0 < self.scale < math.inf:
            raise InputError(f"scale {self.scale}: expected a number above 0")
        if len(set(self.networks)) < len(self.networks):
            raise InputError(f"backbone {self.backbone}: expected different networks")
        if self.shares and not (
            len(self.shares) == len(self.networks)
            and all(0 < share < math.inf for share in self.shares)
        ):
            raise InputError(
                f"shares {list(self.shares)}: expected a number above 0 for each of "
                f"{len(self.networks)} networks"
            )

    @property
    def parts(self) -> tuple[float, ...]:
        """What each network counts in the squared distance, together 1."""
        given = self.shares or (1.0,) * len(self.networks)
        return tuple(share / math.fsum(given) for share in given)

    @classmethod
    def of_identity(cls, identity: Mapping[str, Any]) -> Self | None:
        """Return the settings in an extractor's identity; None if it is of no extractor."""
        if not {"backbone", "pool_stride"} <= identity.keys():
            return None
        known: dict[str, Any] = {name: identity[name] for name in NAMES if name in identity}
        for name, value in known.items():
            known[name] = tuple(value) if isinstance(value, list) else value
        return cls(**known)

    def promised(self, identity: Mapping[str, Any]) -> dict[str, Any]:
        """Return what features of these settings have in their identity, as far as it is known.

        Args:
            identity: of an extractor: a setting that it does not name has no effect there, or its
                default. One that is unset here is chosen by the network.
        """
        found: dict[str, Any] = {}
        for name in NAMES:
            value, default = getattr(self, name), DEFAULTS[name]
            if value in ((), None) or (name not in identity and value == default):
                continue
            if name in identity or name not in ("stages", "pool_kernel"):
                found[name] = list(value) if isinstance(value, tuple) else value
            if name in ("stages", "blocks") and name in found:
                found[name].sort()
        if self.shares and len(self.networks) > 1:
            found["shares"] = list(self.parts)
        return found


NAMES = tuple(field.name for field in dataclasses.fields(Features))
DEFAULTS = {field.name: field.default for field in dataclasses.fields(Features)}
