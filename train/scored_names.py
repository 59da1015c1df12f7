"""Names of results for pictures that a command line gives, alone or in folders."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from stainless.dataset import list_images
from stainless.dataset.listing import Skipped
from stainless.errors import InputError


def named_pictures(given: Sequence[Path]) -> dict[str, Path]:
    """Return the pictures by the names of their results, without ending.

    A picture in a folder is named by its path from that folder, one that is given alone by its file
    name. Where names of different folders are equal, all names get as many of the folders above
    what was given as tell them apart. Files that differ in nothing but their ending keep it. A
    picture that is given twice is named once. Pictures of other formats are told by a
    `DataWarning`.

    Raises:
        InputError: a folder has no picture.
    """
    # Absolute path of a picture: the picture as it was given, and what it was given in.
    pictures: dict[Path, tuple[Path, Path]] = {}
    skipped = Skipped()
    for place in given:
        paths = list_images(place, deep=True) if place.is_dir() else [place]
        if place.is_dir():
            skipped.add_unread(place)
        if not paths:
            raise InputError(f"{place}: has no images")
        base = _absolute(place if place.is_dir() else place.parent)
        for path in paths:
            pictures.setdefault(_absolute(path), (path, base))
    skipped.warn()
    stems = Counter(absolute.with_suffix("") for absolute in pictures)
    alike = {absolute for absolute in pictures if stems[absolute.with_suffix("")] > 1}
    deepest = max(len(absolute.parts) for absolute in pictures)
    for keep, added in product((alike, pictures.keys()), range(deepest)):
        names = {
            absolute: _name(absolute, base, added, absolute in keep)
            for absolute, (_, base) in pictures.items()
        }
        if len(set(names.values())) == len(names):
            return {names[absolute]: path for absolute, (path, _) in pictures.items()}
    raise AssertionError("absolute paths are distinct")


def _absolute(path: Path) -> Path:
    """Return the path from the root, without `..`; a link stays what it is called."""
    return Path(os.path.normpath(path.absolute()))


def _name(absolute: Path, base: Path, added: int, keep_ending: bool) -> str:
    above = base.parts[1:][-added:] if added else ()
    name = Path(*above, absolute.relative_to(base))
    return (name if keep_ending else name.with_suffix("")).as_posix()
