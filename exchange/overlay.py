"""Labels made visible: a colour for each class, and pictures to lay over a picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from stainless.dataset import AnnotationClass

#: By kind, in the order of use. Defects are warm and impurities cool; told apart by colour-blind
#: eyes too (after Okabe and Ito), and bright enough for grey metal.
COLOURS = {
    "defect": ("#ff5d3b", "#ffb000", "#ff6fb5", "#f0e442", "#c77dff"),
    "impurity": ("#3ec6ff", "#2ee6a8", "#8fa8ff", "#b8f05a", "#00a0a0"),
    "ignore": ("#a0a0a0", "#707070"),
}

#: Of 255; the border is opaque, so that what lies below the inside stays visible.
INSIDE = 70


def colours(classes: Iterable[AnnotationClass]) -> dict[int, str]:
    """Return the colour of each class, by index, as #rrggbb."""
    used = dict.fromkeys(COLOURS, 0)
    found = {}
    for entry in sorted(classes, key=lambda entry: entry.index):
        choice = COLOURS[entry.kind]
        found[entry.index] = choice[used[entry.kind] % len(choice)]
        used[entry.kind] += 1
    return found


def shaded(mask: npt.NDArray[np.bool_], border: int) -> npt.NDArray[np.uint8]:
    """Return how much a mask covers each pixel: (H, W), light inside, opaque at its border.

    Args:
        mask: (H, W).
        border: its width in pixels, inside the mask.
    """
    square = np.ones((2 * border + 1, 2 * border + 1), np.uint8)
    # The picture's own edge is no border of what reaches beyond it.
    inner = cv2.erode(mask.astype(np.uint8), square, borderType=cv2.BORDER_REPLICATE)
    return np.where(mask, np.where(inner > 0, np.uint8(INSIDE), np.uint8(255)), np.uint8(0))


def tinted_png(cover: npt.NDArray[np.uint8], colour: str) -> bytes:
    """Return a PNG of one colour whose opacity is `cover` (H, W); OpenCV writes no palettes."""
    height, width = cover.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = cover
    palette = bytes.fromhex(colour.removeprefix("#")) * 256
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", palette),
            (b"tRNS", bytes(range(256))),
            (b"IDAT", zlib.compress(rows.tobytes(), 6)),
            (b"IEND", b""),
        )
    )
