"""Pieces of HTML that several sections need: escaped text, numbers, embedded pictures."""

from __future__ import annotations

import base64
import html
import math
from typing import Any

import cv2
import numpy as np

QUALITY = 84


def escape(text: Any) -> str:
    """Return text that stands for itself in HTML, in attributes too."""
    return html.escape(str(text), quote=True)


def spoken(name: str) -> str:
    """Return a class name as people write it."""
    return name.replace("_", " ")


def number(value: float | None, digits: int = 3) -> str:
    """Return a number for reading, "–" where it is undefined; a count has no digits."""
    if isinstance(value, int):
        return str(value)
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def jpeg(pixels: np.ndarray, quality: int = QUALITY) -> str:
    """Return (H, W, 3) uint8 RGB as a data URL; grey pictures are stored in one channel."""
    grey = (pixels == pixels[..., :1]).all()
    stored = pixels[..., 0] if grey else pixels[..., ::-1]
    return _data_url("jpeg", cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def bilevel_png(mask: np.ndarray) -> str:
    """Return a mask (H, W) bool as the data URL of a PNG of one bit a pixel; "" if it is empty."""
    if not mask.any():
        return ""
    options = [cv2.IMWRITE_PNG_BILEVEL, 1, cv2.IMWRITE_PNG_COMPRESSION, 9]
    return _data_url("png", cv2.imencode(".png", mask.astype(np.uint8) * 255, options)[1])


def _data_url(kind: str, data: np.ndarray) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"


def picture(pixels: np.ndarray, alt: str, quality: int = QUALITY) -> str:
    """Return (H, W, 3) uint8 RGB as an image element."""
    height, width = pixels.shape[:2]
    return (
        f'<img src="{jpeg(pixels, quality)}" width="{width}" height="{height}" alt="{escape(alt)}">'
    )


def legend() -> str:
    """Return what the colours of an overlay mean."""
    known = {
        "tp": "found (true positive)",
        "fp": "false positive",
        "im": "flagged impurity, a false positive too",
        "fn": "missed (false negative)",
    }
    entries = (f'<span class="key {key}">{text}</span>' for key, text in known.items())
    return f'<p class="legend">{"".join(entries)}</p>'
