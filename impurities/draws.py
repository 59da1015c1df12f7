"""Random numbers of the pieces of a surface, by quantity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stainless.ranges import Range, within
from stainless.streams import Purposes


class Draws(Purposes):
    """Every quantity has a stream of its own: widening one range moves no other number.

    The pieces lead the shape: one more leaves the numbers of those before as they were.
    """

    def uniform(self, stream: int, *shape: int) -> NDArray[np.float64]:
        """Return numbers of [0, 1)."""
        return self.generator(stream).random(shape)

    def within(self, value: Range, stream: int, *shape: int) -> NDArray[np.float64]:
        """Return numbers from a range, evenly."""
        return within(value, self.uniform(stream, *shape))
