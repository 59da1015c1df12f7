"""Pictures that say why: each anomalous region beside the nominal patch that is nearest to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from train.detectors.detector import Remembering
from train.patch_grid import square

#: Side of a shown patch, height of a line of text, and space between, in pixels.
SHOWN, LINE, GAP = 192, 22, 8

#: Regions of a picture that are shown, and pixels around a patch where no picture of a member says.
REGIONS, AROUND = 6, 48

#: Width of the text beside the two patches.
TEXT = 470

INK, PAPER, FRAME = (30, 30, 30), (245, 245, 245), (40, 200, 40)


def why_picture(
    image: np.ndarray, regions: Sequence[dict[str, Any]], detector: Any
) -> np.ndarray | None:
    """Return a picture with a row for each of the most anomalous regions.

    In a row stand the surroundings of the region's patch, framed, those of the member that is
    nearest to it as the model keeps them, and what that is.

    Args:
        image: (H, W, 3) uint8 RGB, the picture with the regions.
        regions: as `train.regions.explained_regions` describes them, the most anomalous first.
        detector: that described them.

    Returns:
        (h, w, 3) uint8 RGB; None without regions.
    """
    if not regions:
        return None
    return np.concatenate([_row(image, region, detector) for region in regions[:REGIONS]])


def _row(image: np.ndarray, region: dict[str, Any], detector: Any) -> np.ndarray:
    nearest = region["nearest"] or {}
    kept = None
    if isinstance(detector, Remembering) and "member" in nearest:
        kept = detector.crop(nearest["member"])
    x, y = region["peak"]
    left, top, width, height = nearest.get("patch", (x, y, 1, 1))
    side = AROUND if kept is None else len(kept)
    ours = square(image, left + (width - 1) / 2, top + (height - 1) / 2, side)
    row = np.full((SHOWN + 2 * GAP, 2 * SHOWN + 4 * GAP + TEXT, 3), PAPER, np.uint8)
    row[GAP : GAP + SHOWN, GAP : GAP + SHOWN] = framed(ours, width, height)
    second = slice(2 * GAP + SHOWN, 2 * GAP + 2 * SHOWN)
    if kept is not None:
        _, _, wide, high = nearest["box"]
        row[GAP : GAP + SHOWN, second] = framed(kept, wide, high)
    lines = [
        f"region at {x}, {y}, score {region['score']:.4g}, {region['area']} pixels",
        "nearest to:",
        *nearest.get("words", "not known").split(", "),
    ]
    if "distance" in nearest:
        lines.append(f"distance {nearest['distance']:.4g}")
    if kept is None:
        lines.append("(the model keeps no picture of it)")
    for number, line in enumerate(lines):
        text = line.encode("ascii", "replace").decode()
        place = 3 * GAP + 2 * SHOWN, GAP + 20 + number * LINE
        cv2.putText(row, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    return row


def framed(crop: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a crop enlarged, with a frame around the patch of this size in its middle."""
    side = len(crop)
    shown = cv2.resize(crop, (SHOWN, SHOWN), interpolation=cv2.INTER_NEAREST)
    scale = SHOWN / side
    half = width * scale / 2, height * scale / 2
    first = round(SHOWN / 2 - half[0]), round(SHOWN / 2 - half[1])
    last = round(SHOWN / 2 + half[0]), round(SHOWN / 2 + half[1])
    return cv2.rectangle(np.ascontiguousarray(shown), first, last, FRAME, 1)
