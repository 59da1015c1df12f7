"""The size that a file of shapes states of its picture: in full, in half, or not at all."""

from __future__ import annotations

from typing import Any, NamedTuple

from stainless.dataset.orientation import Frame
from stainless.errors import InputError


class StatedSize(NamedTuple):
    """Height and width in pixels; None for what is not stated."""

    height: int | None = None
    width: int | None = None


def stated_size(content: dict[str, Any], keys: tuple[str, str], where: str) -> StatedSize:
    """Return what a mapping states under the keys of height and width.

    Args:
        content: the mapping.
        keys: of height and width. A missing one or null states nothing.
        where: what an error's line begins with.

    Raises:
        InputError: a value is no whole number above 0; 128.0 is one, "128" is none.
    """
    sides = []
    for key in keys:
        value = content.get(key)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and not (is_number and 0 < value < 1 << 31 and value == int(value)):
            raise InputError(f"{where}: {key} is {value!r}, expected a whole number of pixels")
        sides.append(None if value is None else int(value))
    return StatedSize(*sides)


def drawn_size(
    stated: StatedSize, frame: Frame, mask_frame: str | None, where: str
) -> tuple[tuple[int, int], bool]:
    """Return height and width of the picture that shapes were drawn on, and if it is the stored.

    Args:
        stated: what the file states. Where that tells, it counts.
        frame: the picture.
        mask_frame: "stored" for shapes drawn on a turned picture's stored pixels.
        where: what an error's line begins with.

    Raises:
        InputError: the picture has another size.
    """
    sizes = {"upright": frame.size, "stored": frame.stored}
    fits = [
        name
        for name, size in sizes.items()
        if all(side in (None, other) for side, other in zip(stated, size, strict=True))
    ]
    if not fits:
        width, height = ("?" if side is None else side for side in (stated.width, stated.height))
        raise InputError(
            f"{where} {width}x{height} pixels, the image is {frame.size[1]}x{frame.size[0]}"
        )
    chosen = "stored" if mask_frame == "stored" and "stored" in fits else fits[0]
    return sizes[chosen], chosen == "stored"
