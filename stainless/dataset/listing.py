"""Which files of a folder are pictures; what is hidden is never one."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from stainless.errors import DataWarning, InputError

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

#: Endings of pictures that are not read, so that a skipped one is named.
OTHER_ENDINGS = frozenset(
    f".{ending}"
    for ending in (
        *("arw", "avif", "cr2", "cr3", "dcm", "dib", "dng", "exr", "gif", "hdr", "heic", "heif"),
        *(
            "j2k",
            "jfif",
            "jp2",
            "jpe",
            "jxl",
            "mpo",
            "nef",
            "pbm",
            "pfm",
            "pgm",
            "pnm",
            "ppm",
            "psd",
        ),
        *("apng", "jpf", "jpx", "jxr", "pcx", "ras", "raw", "sgi", "tga"),
    )
)

#: How JPEG, PNG, GIF, BMP and TIFF begin; WebP is looked at apart.
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")

#: Folders that a file system or an archiver hides, without a dot in front.
_HIDDEN = frozenset(("__MACOSX", "@eaDir", "System Volume Information", "$RECYCLE.BIN"))


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder of this name is hidden."""
    return name.startswith(".") or name in _HIDDEN


def is_image(path: Path) -> bool:
    """Tell whether a file's name is that of a picture that can be read."""
    return path.suffix.lower() in IMAGE_ENDINGS and not is_hidden(path.name)


def folders(folder: Path) -> list[Path]:
    """Return the folders in `folder`, sorted by path, hidden ones left out."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not is_hidden(path.name))


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in and below `folder`, hidden ones and hidden folders left out.

    Linked folders are entered, unless they lead back to one that is being walked through or to one
    that `folder` lies in.
    """
    start = Path(os.path.realpath(folder))
    trails = {str(folder): {str(place) for place in (start, *start.parents)}}
    for place, below, files in os.walk(folder, followlinks=True):
        trail = trails.pop(place)
        kept = []
        for name in sorted(below):
            # As os.walk will name it, which a Path would not where `folder` is ".".
            inner = os.path.join(place, name)  # noqa: PTH118
            target = os.path.realpath(inner)
            if not is_hidden(name) and target not in trail:
                trails[inner] = trail | {target}
                kept.append(name)
        below[:] = kept
        yield from (Path(place, name) for name in sorted(files) if not is_hidden(name))


def _is_broken(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _is_nameless_image(path: Path) -> bool:
    """Tell whether a file without an ending begins as a picture does."""
    if path.suffix or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith(_BEGINNINGS) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def list_images(folder: Path, deep: bool = False) -> list[Path]:
    """Return the images in `folder` (`deep`: and below it), sorted by path, hidden ones left out.

    A link to nothing counts: to load it is an error, while it would else be missing in silence.

    Raises:
        InputError: two images differ in nothing but the ending, so names would not tell them apart.
    """
    found = files_below(folder) if deep else folder.glob("*")
    paths = sorted(
        path for path in found if is_image(path) and (path.is_file() or _is_broken(path))
    )
    seen: dict[Path, Path] = {}
    for path in paths:
        twin = seen.setdefault(path.with_suffix(""), path)
        if twin is not path:
            raise InputError(f"{path}: has the same name as {twin.name} beside it")
    return paths


def has_images(folder: Path) -> bool:
    """Tell whether there is an image in or below a folder."""
    return any(is_image(path) for path in files_below(folder))


class Skipped:
    """Pictures that a reader leaves out, so that none is left out in silence."""

    def __init__(self) -> None:
        self._paths: dict[str, list[Path]] = defaultdict(list)

    def add(self, path: Path, reason: str) -> None:
        """Note a picture and why it is left out."""
        self._paths[reason].append(path)

    def add_unread(self, folder: Path, deep: bool = True) -> None:
        """Note the pictures of other formats in (`deep`: and below) a folder."""
        for path in files_below(folder) if deep else folder.glob("*"):
            if is_hidden(path.name):
                continue
            if path.suffix.lower() in OTHER_ENDINGS:
                self.add(path, f"no format that is read ({', '.join(IMAGE_ENDINGS)})")
            elif _is_nameless_image(path):
                self.add(path, "its name lacks the ending of a picture")

    def warn(self) -> None:
        """Say what was left out, a line a reason."""
        for reason, paths in self._paths.items():
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            warnings.warn(f"{paths[0]}{more}: skipped, {reason}", DataWarning, stacklevel=3)
