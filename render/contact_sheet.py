"""One picture that shows a dataset at a glance: pictures and labels in rows and columns."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]
Pixels = npt.NDArray[np.unsignedinteger]

TILE_PX = 480
MARGIN_PX = 8
HEADER_PX = 34
LABEL_PX = 34
INK = (40, 40, 40)
#: Overlay colours by class index (red, green, blue): light blue for 1, the first impurity.
PALETTE = (
    (0, 160, 160),
    (20, 150, 235),
    (60, 180, 60),
    (200, 80, 200),
    (60, 150, 150),
    (255, 190, 0),
    (255, 110, 40),
    (230, 60, 60),
)


def contact_sheet(columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Pixels]]]) -> UInt8:
    """Compose a contact sheet.

    Args:
        columns: their titles.
        rows: name and tiles, one a column, each (H, W), 8 or 16 bits, or (H, W, 3), all of a size.

    Returns:
        (H, W, 3) uint8, red first.
    """
    height, width = rows[0][1][0].shape[:2]
    size = (TILE_PX, round(height * TILE_PX / width))
    sheet = np.full(
        (
            HEADER_PX + len(rows) * (size[1] + MARGIN_PX),
            LABEL_PX + len(columns) * (TILE_PX + MARGIN_PX),
            3,
        ),
        255,
        np.uint8,
    )
    for column, title in enumerate(columns):
        _write(sheet, title, LABEL_PX + column * (TILE_PX + MARGIN_PX), HEADER_PX - 12)
    for row, (name, tiles) in enumerate(rows):
        top = HEADER_PX + row * (size[1] + MARGIN_PX)
        side = np.full((LABEL_PX, size[1], 3), 255, np.uint8)
        _write(side, name, 4, LABEL_PX - 12)
        sheet[top : top + size[1], :LABEL_PX] = cv2.rotate(side, cv2.ROTATE_90_COUNTERCLOCKWISE)
        for column, tile in enumerate(tiles):
            left = LABEL_PX + column * (TILE_PX + MARGIN_PX)
            small = cv2.resize(_colour(tile), size, interpolation=cv2.INTER_AREA)
            sheet[top : top + size[1], left : left + TILE_PX] = small
    return sheet


def overlay(picture: Pixels, classes: Pixels) -> UInt8:
    """Return the picture in colour, each class tinted and outlined in a colour of its own.

    Args:
        picture: (H, W) or (H, W, 3), 8 or 16 bits.
        classes: (H, W) class index, 0 for none.
    """
    colour = _colour(picture)
    thickness = max(1, round(2 * picture.shape[1] / TILE_PX))
    for index in np.unique(classes[classes > 0]):
        tint = PALETTE[int(index) % len(PALETTE)]
        inside = classes == index
        colour[inside] = (0.6 * colour[inside] + 0.4 * np.array(tint, np.float32)).astype(np.uint8)
        outlines, _ = cv2.findContours(
            inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(colour, outlines, -1, tint, thickness)
    return colour


def _colour(picture: Pixels) -> UInt8:
    """Return a copy of a picture in three channels and eight bits."""
    if picture.dtype != np.uint8:
        picture = (picture / 257).astype(np.uint8)
    if picture.ndim == 3:
        return np.array(picture, np.uint8)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8)


def _write(canvas: UInt8, text: str, x: int, y: int) -> None:
    """Write a line of text, its baseline at y."""
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, INK, 1, cv2.LINE_AA)
