"""Where the patches of a picture lie: the one geometry for all who ask.

Pixel coordinates count from the centre of the first pixel. A position numbers the patches as in a
grid of a fixed width, so that it alone tells row and column whatever the size of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Columns of the grid that positions count in: a position is row * GRID_WIDTH + column.
GRID_WIDTH = 1 << 16

#: x, y, width and height in pixels.
Box = tuple[int, int, int, int]


def square(image: np.ndarray, x: float, y: float, side: int) -> np.ndarray:
    """Return the square around a pixel; beyond the picture its border is repeated.

    Args:
        image: (H, W, 3).
        x, y: pixel coordinates of its middle.
        side: in pixels.

    Returns:
        (side, side, 3) of the same type.
    """
    rows = (np.arange(side) + round(y - (side - 1) / 2)).clip(0, image.shape[0] - 1)
    columns = (np.arange(side) + round(x - (side - 1) / 2)).clip(0, image.shape[1] - 1)
    return image[rows[:, None], columns]


@dataclass(frozen=True)
class PatchGrid:
    """A grid of patches, the same along both axes.

    Attributes:
        first: pixel coordinate of the centre of the first patch.
        pitch: pixels between centres.
    """

    first: float
    pitch: float

    def centres(self, cells: int) -> np.ndarray:
        """Return the pixel coordinates of the first patches' centres along an axis."""
        return self.first + np.arange(cells) * self.pitch

    def cell(self, pixel: float, cells: int) -> int:
        """Return which of `cells` patches along an axis has its centre nearest to a pixel."""
        return min(max(round((pixel - self.first) / self.pitch), 0), cells - 1)

    def cells(self, pixels: np.ndarray, cells: int) -> np.ndarray:
        """Do as `cell` for an array of pixels; int32."""
        nearest = np.rint((pixels - self.first) / self.pitch).astype(np.int32)
        return nearest.clip(0, cells - 1)

    def box(self, row: int, column: int) -> Box:
        """Return the pixels around the centre of a patch, one pitch wide, cut at 0."""
        ends, side = [], max(round(self.pitch), 1)
        for cell in (column, row):
            low = round(self.first + cell * self.pitch - (side - 1) / 2)
            ends.append((max(low, 0), low + side))
        (x, right), (y, bottom) = ends
        return x, y, right - x, bottom - y
