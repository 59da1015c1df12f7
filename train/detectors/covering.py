"""Models that stand for nominal patches by members, and say how far these reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from train.patch_grid import PatchGrid


@dataclass(frozen=True)
class Radius:
    """How far members reach.

    Attributes:
        value: a patch is covered up to this distance from its nearest member.
        meaning: what the distance is.
        covering: largest distance of any patch that was learned from to its nearest member, as the
            model recorded it; None where it never came to rest, or was melded.
        caution: what makes the value doubtful, in a line; None for nothing.
    """

    value: float
    meaning: str
    covering: float | None
    caution: str | None = None


@runtime_checkable
class Covering(Protocol):
    """Has members, each of which stands for the patches around it."""

    @property
    def patch_grid(self) -> PatchGrid:
        """Return where patches lie."""

    def radius(self) -> Radius:
        """Return how far the members reach.

        Raises:
            InputError: there are none yet.
        """

    def member_distances(self, image: np.ndarray) -> np.ndarray:
        """Return the (h, w) float32 distances of a picture's patches to their nearest members.

        Args:
            image: (H, W, 3) uint8 RGB.

        Raises:
            InputError: the picture is too small.
        """
