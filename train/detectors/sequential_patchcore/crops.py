"""Small pictures of members, kept in the model so that it can show them without its dataset."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

#: WebP quality: about 200 to 800 bytes for 48 x 48 pixels of metal.
QUALITY = 70

#: What is kept of a member: pixels as they were seen, the bytes of their WebP file, or nothing.
Crop = np.ndarray | bytes | None


def encoded(kept: Crop) -> bytes:
    """Return the bytes of a crop; none for no crop."""
    if isinstance(kept, np.ndarray):
        done, data = cv2.imencode(".webp", kept[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
        assert done
        return data.tobytes()
    return kept or b""


def decoded(kept: Crop) -> np.ndarray | None:
    """Return the (side, side, 3) uint8 RGB pixels of a crop; None for no crop, or a damaged one."""
    if isinstance(kept, np.ndarray):
        return kept
    if not kept:
        return None
    pixels = cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR)
    return None if pixels is None else pixels[..., ::-1]


def packed(crops: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes of crops one after the other, (N,) uint8, and their lengths, (M,) int32."""
    data = np.frombuffer(b"".join(crops), np.uint8)
    return data, np.array([len(each) for each in crops], np.int32)


def unpacked(data: np.ndarray, lengths: np.ndarray) -> list[bytes]:
    """Return what `packed` was given."""
    ends = lengths.cumsum()
    whole = data.tobytes()
    return [whole[end - n : end] for end, n in zip(ends.tolist(), lengths.tolist(), strict=True)]
