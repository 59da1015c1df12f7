"""One frame for pictures and labels: the upright one, in which LabelMe and browsers show a picture.

EXIF's tag 274 says how the stored pixels are turned: 2 to 4 are mirrored or turned by 180 degrees,
5 to 8 are turned by 90 degrees as well, so that height and width change places.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Frame(NamedTuple):
    """A picture's size as it is shown, and how its stored pixels are turned.

    Attributes:
        size: height and width in pixels of the upright picture.
        orientation: EXIF's tag, 1 to 8.
    """

    size: tuple[int, int]
    orientation: int = 1

    @property
    def stored(self) -> tuple[int, int]:
        """Height and width of the stored pixels."""
        return self.size[::-1] if self.orientation >= 5 else self.size


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return stored pixels (H, W, ...) as they are to be shown.

    Args:
        pixels: as stored.
        orientation: EXIF's tag, 1 to 8.
    """
    if orientation in (7, 8, 2, 3):
        pixels = pixels[:, ::-1]
    if orientation in (6, 7, 3, 4):
        pixels = pixels[::-1]
    turned = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    return np.ascontiguousarray(turned)
