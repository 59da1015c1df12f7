"""One picture that shows a dataset at a glance: clean, stained and labelled, a row a light."""

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
#: Overlay colour of the labels (blue, green, red).
OVERLAY = (235, 150, 20)


def contact_sheet(rows: Sequence[tuple[str, Pixels, Pixels, Pixels]]) -> UInt8:
    """Compose a contact sheet.

    Args:
        rows: name, clean picture, stained picture and mask, each (H, W), 8 or 16 bits.

    Returns:
        (H, W, 3) uint8, blue first.
    """
    height, width = rows[0][1].shape
    size = (TILE_PX, round(height * TILE_PX / width))
    columns = ["clean", "stained", "labels"]
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
    for row, (name, clean, stained, mask) in enumerate(rows):
        top = HEADER_PX + row * (size[1] + MARGIN_PX)
        side = np.full((LABEL_PX, size[1], 3), 255, np.uint8)
        _write(side, name, 4, LABEL_PX - 12)
        sheet[top : top + size[1], :LABEL_PX] = cv2.rotate(side, cv2.ROTATE_90_COUNTERCLOCKWISE)
        for column, tile in enumerate((_grey(clean), _grey(stained), overlay(stained, mask))):
            left = LABEL_PX + column * (TILE_PX + MARGIN_PX)
            small = cv2.resize(tile, size, interpolation=cv2.INTER_AREA)
            sheet[top : top + size[1], left : left + TILE_PX] = small
    return sheet


def overlay(picture: Pixels, mask: Pixels) -> UInt8:
    """Return the picture in colour with the mask tinted and its outline drawn."""
    colour = _grey(picture)
    inside = mask > 0
    tint = np.array(OVERLAY, np.float32)
    colour[inside] = (0.6 * colour[inside] + 0.4 * tint).astype(np.uint8)
    outlines, _ = cv2.findContours(
        inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    thickness = max(1, round(2 * picture.shape[1] / TILE_PX))
    cv2.drawContours(colour, outlines, -1, OVERLAY, thickness)
    return colour


def _grey(picture: Pixels) -> UInt8:
    """Return a grey picture in three channels and eight bits."""
    if picture.dtype != np.uint8:
        picture = (picture / 257).astype(np.uint8)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)


def _write(canvas: UInt8, text: str, x: int, y: int) -> None:
    """Write a line of text, its baseline at y."""
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, INK, 1, cv2.LINE_AA)
