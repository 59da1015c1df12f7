"""Decoding of images, with one line that names the file for whatever is wrong with it."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from stainless.dataset.headers import PNG, DamagedError, Header, read_header, read_png_frame
from stainless.dataset.orientation import Frame, upright
from stainless.errors import DataWarning, InputError
from stainless.limits import MOST_PIXELS

# What is wrong is said in one line of ours; OpenCV would add its own.
cv2.setLogLevel(0)

#: White in 16 bits.
WHITE = 65535


def load_image(path: Path, white_level: int | None = None) -> np.ndarray:
    """Return the picture as (H, W, 3) uint8 RGB, turned upright as its orientation tag asks.

    Grey is replicated, transparency dropped. 16-bit values v become round(255 v / white);
    floating-point values must lie in 0 to 1 and become round(255 v).

    Args:
        path: the file.
        white_level: the 16-bit value that is white; None for what the file's tags say (PNG's sBIT,
            TIFF's SMaxSampleValue), or else 65535.

    Raises:
        InputError: the file is missing, empty, corrupt, truncated or too large, or holds NaN
            or other values outside its range.
    """
    pixels, header = read(path)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    elif pixels.shape[2] in (3, 4):
        pixels = pixels[..., 2::-1]
    else:
        raise InputError(f"{path}: has {pixels.shape[2]} channels, expected 1, 3 or 4")
    if pixels.dtype == np.uint16:
        pixels = _scaled(pixels, white_level or told_white(pixels, header), path)
    return np.ascontiguousarray(_to_8_bit(pixels, path))


def told_white(pixels: np.ndarray, header: Header) -> int:
    """Return the value of white that a 16-bit picture's own tags tell, or else 65535.

    PNG's sBIT gives the number of bits that mean something, not where they are: a writer should
    scale them to 16, most cameras' do not. They are the low ones where no value is above them and
    the bits that scaling leaves empty are not.
    """
    if header.white is not None:
        return header.white
    bits = header.significant_bits
    if not 8 < bits < 16 or not pixels.size:
        return WHITE
    is_low = pixels.max() < 1 << bits and (pixels & ((1 << (16 - bits)) - 1)).any()
    return (1 << bits) - 1 if is_low else WHITE


def _scaled(pixels: np.ndarray, white: int, path: Path) -> np.ndarray:
    highest = int(pixels.max())
    if highest > white:
        raise InputError(f"{path}: has values up to {highest}, expected white at {white}")
    return ((pixels.astype(np.uint32) * 255 + white // 2) // white).astype(np.uint8)


def _to_8_bit(pixels: np.ndarray, path: Path) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind != "f":
        raise InputError(f"{path}: has {pixels.dtype} values, expected 8-bit, 16-bit or float")
    if not np.isfinite(pixels).all():
        raise InputError(f"{path}: has NaN or infinite values")
    if pixels.min() < 0 or pixels.max() > 1:
        raise InputError(f"{path}: has floating-point values outside 0 to 1")
    return np.rint(pixels * 255).astype(np.uint8)


def header_of(path: Path) -> Header:
    """Return what the file says beside its pixels.

    Raises:
        InputError: the file is missing, empty or truncated.
    """
    return _header(_read_bytes(path), path)


def image_size(path: Path) -> tuple[int, int]:
    """Return height and width in pixels of the upright picture; see `frame_of`."""
    return frame_of(path).size


def frame_of(path: Path) -> Frame:
    """Return a picture's upright size and its orientation; most formats are not decoded for it.

    Raises:
        InputError: the file is missing, empty, corrupt, truncated or too large.
    """
    with _opened(path) as file:
        if file.read(8) == PNG:
            try:
                header = read_png_frame(file)
            except (DamagedError, struct.error):
                raise InputError(f"{path}: is truncated") from None
            _check_size(header, path)
            if header.size is not None:
                return _frame(header.size, header.orientation)
    data = _read_bytes(path)
    header = _header(data, path)
    _check_size(header, path)
    height, width = header.size or _decoded(data, path).shape[:2]
    return _frame((height, width), header.orientation)


def _frame(stored: tuple[int, int], orientation: int) -> Frame:
    return Frame(Frame(stored, orientation).stored, orientation)


def read(path: Path) -> tuple[np.ndarray, Header]:
    """Return the upright values, (H, W) or (H, W, channels in OpenCV's BGR order), and the header.

    A `DataWarning` names a file of several pages, of which the first is read.

    Raises:
        InputError: the file is missing, empty, corrupt, truncated or too large.
    """
    data = _read_bytes(path)
    header = _header(data, path)
    if header.pages > 1:
        warnings.warn(
            f"{path}: has {header.pages} pages, of which only the first is read",
            DataWarning,
            stacklevel=2,
        )
    _check_size(header, path)
    if header.orientation_at is not None:
        # OpenCV turns TIFF files alone; all are turned here.
        offset, form = header.orientation_at
        patched = bytearray(data)
        struct.pack_into(form, patched, offset, 1)
        data = bytes(patched)
    return upright(_decoded(data, path), header.orientation), header


def decode(path: Path) -> np.ndarray:
    """Return the upright values as (H, W) or (H, W, channels in OpenCV's BGR order)."""
    return read(path)[0]


def _header(data: bytes, path: Path) -> Header:
    try:
        return read_header(data)
    except DamagedError as error:
        raise InputError(f"{path}: {error}") from None


def decoded(data: bytes, flags: int = cv2.IMREAD_UNCHANGED) -> np.ndarray | None:
    """Return the pixels of an encoded picture; None where it is damaged, none, or too large.

    Args:
        data: the picture's bytes.
        flags: OpenCV's; by default the stored pixels, no orientation applied, all bits, channels.
    """
    try:
        height, width = read_header(data).size or (0, 0)
        if not data or height * width > MOST_PIXELS:
            return None
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except (DamagedError, cv2.error):
        return None
    return None if pixels is None or pixels.size == 0 else pixels


def _check_size(header: Header, path: Path) -> None:
    """Refuse a picture that a small file may unpack to more than there is memory for."""
    height, width = header.size or (0, 0)
    if height * width > MOST_PIXELS:
        raise InputError(f"{path}: is {width}x{height} pixels, expected up to {MOST_PIXELS} in all")


def _decoded(data: bytes, path: Path) -> np.ndarray:
    pixels = decoded(data)
    if pixels is None:
        raise InputError(f"{path}: cannot be read as an image; it is corrupt or of another format")
    return pixels


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        if path.is_symlink() and not path.exists():
            raise InputError(f"{path}: links to {path.readlink()}, which is not there") from None
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


def _read_bytes(path: Path) -> bytes:
    with _opened(path) as file:
        data = file.read()
    if not data:
        raise InputError(f"{path}: is empty")
    return data
