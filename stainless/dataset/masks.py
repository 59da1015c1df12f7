"""Masks and index images, in the pixels of the upright picture that they belong to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stainless.dataset.headers import Header
from stainless.dataset.images import read
from stainless.dataset.orientation import Frame, upright
from stainless.errors import InputError

#: What marks a pixel in a grey mask: white, or a one.
MARKS = (1, 255, 65535)


def load_binary(
    path: Path,
    frame: Frame | tuple[int, int],
    mask_frame: str | None = None,
    any_value: bool = False,
) -> np.ndarray:
    """Return a mask as (H, W) bool.

    Black is unmarked and one other value or colour marks: 1, white, or any in a picture of two
    colours. Transparent pixels are unmarked; where there are some, and all others have one colour,
    that colour may not be black.

    Args:
        path: the mask.
        frame: the picture it belongs to, or height and width in pixels.
        mask_frame: "stored" or "upright", as `read_category` explains.
        any_value: a grey mask may have any one value above 0 for its marks.

    Raises:
        InputError: the file is missing or corrupt, of another size, not binary, at odds with its
            own transparency, or fits a turned picture in two ways.
    """
    pixels, header = read(path)
    if header.lost_alpha:
        raise InputError(
            f"{path}: mask is transparent in part, which is not read in this format (BMP, or grey "
            "with alpha in a TIFF); expected a PNG"
        )
    marked = _marked(pixels, header, path, any_value)
    return _fitted(marked, header, frame, mask_frame, path, "mask")


def grey_value(path: Path) -> int:
    """Return the highest value of a grey mask; 0 of a blank one or one in colour."""
    pixels, _ = read(path)
    return int(pixels.max()) if pixels.ndim == 2 and pixels.dtype.kind == "u" else 0


def load_indices(
    path: Path,
    frame: Frame | tuple[int, int],
    dtype: type[np.unsignedinteger],
    mask_frame: str | None = None,
) -> np.ndarray:
    """Return an index image as (H, W) `dtype`, refusing wider values, colour and other sizes."""
    pixels, header = read(path)
    pixels = _fitted(pixels, header, frame, mask_frame, path, "annotation")
    if pixels.ndim == 3 or pixels.dtype.kind != "u" or pixels.max() > np.iinfo(dtype).max:
        raise InputError(f"{path}: expected one channel of {np.dtype(dtype)} indices")
    return pixels.astype(dtype)


def _fitted(
    pixels: np.ndarray,
    header: Header,
    frame: Frame | tuple[int, int],
    mask_frame: str | None,
    path: Path,
    what: str,
) -> np.ndarray:
    """Return what belongs to a picture in the picture's upright pixels."""
    if not isinstance(frame, Frame):
        frame = Frame(frame)
    shape = pixels.shape[:2]
    if shape not in (frame.size, frame.stored):
        raise InputError(f"{path}: {what} is {_by(shape)}, its image {_by(frame.size)}")
    # A file that is turned itself shows where it belongs.
    if frame.orientation == 1 or header.orientation != 1:
        fits = ["upright"] if shape == frame.size else []
    else:
        fits = [
            name
            for name, size in (("upright", frame.size), ("stored", frame.stored))
            if shape == size
        ]
    if not fits:
        raise InputError(f"{path}: {what} is {_by(shape)}, its image {_by(frame.size)}")
    if len(fits) == 2 and mask_frame is None:
        raise InputError(
            f"{path}: its image is turned by an orientation tag ({frame.orientation}) and the "
            f"{what} fits it before and after; say with --mask-frame stored or upright which it is"
        )
    chosen = mask_frame if mask_frame in fits else fits[0]
    return upright(pixels, frame.orientation) if chosen == "stored" else pixels


def _marked(pixels: np.ndarray, header: Header, path: Path, any_value: bool) -> np.ndarray:
    """Return which pixels of a decoded mask are marked, in its own frame."""
    opaque = _opaque(pixels, header, path)
    colours = pixels[..., :3] if pixels.ndim == 3 else pixels[..., None]
    if colours.dtype.kind == "f" and not np.isfinite(colours).all():
        raise InputError(f"{path}: mask is not binary: it has NaN or infinite values")
    is_grey = (colours == colours[..., :1]).all()
    coloured = (colours != 0).any(axis=-1)
    if opaque is not None:
        visible = coloured[opaque]
        if len(visible) and not visible.any():
            raise InputError(f"{path}: mask is black where it is opaque, so it marks nothing there")
        if not visible.all() and coloured[~opaque].any():
            raise InputError(f"{path}: mask has marks that are transparent, expected one of both")
        marked = coloured & opaque
    else:
        marked = coloured
    values = np.unique(colours[marked], axis=0) if not is_grey else np.unique(colours[marked])
    if len(values) > 1 or (is_grey and len(values) and not _is_mark(values[0], header, any_value)):
        if not is_grey:
            raise InputError(f"{path}: mask is not binary: it is a colour picture")
        found = np.unique(colours)
        shown = ", ".join(f"{value:g}" for value in found[:4]) + (", ..." if len(found) > 4 else "")
        raise InputError(f"{path}: mask is not binary: values {shown}, expected 0 and 255")
    return marked


def _is_mark(value: np.generic, header: Header, any_value: bool) -> bool:
    return any_value or header.is_palette or value in MARKS


def _opaque(pixels: np.ndarray, header: Header, path: Path) -> np.ndarray | None:
    """Return which pixels are opaque; None where all are."""
    if header.transparent is not None:
        # OpenCV keeps blue in front.
        colour = np.array(header.transparent[::-1])
        stored = pixels if pixels.ndim == 3 else pixels[..., None]
        opaque = (stored[..., : len(colour)] != colour).any(axis=-1)
    elif pixels.ndim == 3 and pixels.shape[2] == 4:
        alpha = pixels[..., 3]
        full = 1 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
        if not np.isin(alpha, (0, full)).all():
            raise InputError(f"{path}: mask is not binary: it is transparent in part")
        opaque = alpha > 0
    else:
        return None
    return None if opaque.all() else opaque


def _by(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]} pixels"
