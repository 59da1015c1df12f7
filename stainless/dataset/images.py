"""Decoding of images and masks, with one line that names the file for whatever is wrong with it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from stainless.errors import InputError

# What is wrong is said in one line of ours; OpenCV would add its own.
cv2.setLogLevel(0)


def load_image(path: Path) -> np.ndarray:
    """Return the picture as (H, W, 3) uint8 RGB.

    Grey is replicated, transparency dropped, the orientation tag ignored (masks belong to the
    stored pixels). 16-bit values v become round(v / 257), so that 65535 is 255; floating-point
    values must lie in 0 to 1 and become round(255 v).

    Raises:
        InputError: the file is missing, empty, corrupt or truncated, or holds NaN or other values
            outside its range.
    """
    pixels = decode(path)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    elif pixels.shape[2] in (3, 4):
        pixels = pixels[..., 2::-1]
    else:
        raise InputError(f"{path}: has {pixels.shape[2]} channels, expected 1, 3 or 4")
    return np.ascontiguousarray(_to_8_bit(pixels, path))


def _to_8_bit(pixels: np.ndarray, path: Path) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if pixels.dtype.kind != "f":
        raise InputError(f"{path}: has {pixels.dtype} values, expected 8-bit, 16-bit or float")
    if not np.isfinite(pixels).all():
        raise InputError(f"{path}: has NaN or infinite values")
    if pixels.min() < 0 or pixels.max() > 1:
        raise InputError(f"{path}: has floating-point values outside 0 to 1")
    return np.rint(pixels * 255).astype(np.uint8)


def load_binary(path: Path, size: tuple[int, int], value: int | None = 255) -> np.ndarray:
    """Return a mask as (H, W) bool.

    Args:
        path: an image whose values are 0 and `value` only.
        size: the height and width in pixels that it must have.
        value: what marks a pixel; None for any one value above 0.

    Raises:
        InputError: the file is missing or corrupt, of another size, or not binary.
    """
    pixels = decode(path)
    if pixels.ndim == 3 and (pixels[..., :3] == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    if pixels.shape[:2] != size:
        raise InputError(f"{path}: mask is {_by(pixels.shape)}, its image {_by(size)}")
    if pixels.ndim == 3:
        raise InputError(f"{path}: mask is not binary: it is a colour picture")
    values = np.unique(pixels)
    allowed = {0, value} if value is not None else {0, int(values[-1])}
    if not set(values.tolist()) <= allowed:
        shown = ", ".join(str(value) for value in values[:4]) + (", ..." if len(values) > 4 else "")
        raise InputError(f"{path}: mask is not binary: values {shown}, expected 0 and 255")
    return pixels > 0


def load_indices(path: Path, size: tuple[int, int], dtype: type[np.unsignedinteger]) -> np.ndarray:
    """Return an index image as (H, W) `dtype`, refusing wider values, colour and other sizes."""
    pixels = decode(path)
    if pixels.shape[:2] != size:
        raise InputError(f"{path}: annotation is {_by(pixels.shape)}, its image {_by(size)}")
    if pixels.ndim == 3 or pixels.dtype.kind != "u" or pixels.max() > np.iinfo(dtype).max:
        raise InputError(f"{path}: expected one channel of {np.dtype(dtype)} indices")
    return pixels.astype(dtype)


def image_size(path: Path) -> tuple[int, int]:
    """Return height and width in pixels; of a PNG only the header is read."""
    with _opened(path) as file:
        head = file.read(24)
    if head[:4] == b"\x89PNG" and head[12:16] == b"IHDR":
        width, height = struct.unpack(">II", head[16:24])
        return height, width
    pixels = decode(path)
    return pixels.shape[0], pixels.shape[1]


def decode(path: Path) -> np.ndarray:
    """Return the stored values as (H, W) or (H, W, channels in OpenCV's BGR order)."""
    with _opened(path) as file:
        data = file.read()
    if not data:
        raise InputError(f"{path}: is empty")
    _refuse_damage(data, path)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        pixels = None
    if pixels is None or pixels.size == 0:
        raise InputError(f"{path}: cannot be read as an image; it is corrupt or of another format")
    return pixels


def _refuse_damage(data: bytes, path: Path) -> None:
    """Refuse what a decoder may fill with grey: a truncated JPEG, a PNG with wrong checksums."""
    if data.startswith(b"\xff\xd8\xff") and b"\xff\xd9" not in data[-4096:]:
        raise InputError(f"{path}: is truncated")
    if not data.startswith(b"\x89PNG"):
        return
    start, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", data[start : start + 8].ljust(8, b"\0"))
        end = start + 12 + length
        if end > len(data):
            raise InputError(f"{path}: is truncated")
        if zlib.crc32(data[start + 4 : end - 4]) != struct.unpack(">I", data[end - 4 : end])[0]:
            raise InputError(f"{path}: is corrupt (checksum of {kind.decode('latin1')})")
        start = end


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


def _by(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]} pixels"
