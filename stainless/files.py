"""Files appear whole or not at all: write beside, fsync, rename."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

#: The folder that the project is used from.
CHECKOUT = Path(__file__).resolve().parents[1]

#: Ending of a file that is being written; such a file is never read and may be removed.
PARTIAL = ".partial"


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in an error: a write that fails knows none, and the user needs one."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; on success it takes `path`'s place atomically.

    On an exception nothing is left behind and an older `path` stays as it was. The temporary name
    keeps the ending of `path`, since many writers choose their format by it.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.{os.getpid()}{PARTIAL}{path.suffix}")
    try:
        with naming(path):
            yield beside
            with beside.open("rb") as written:
                os.fsync(written.fileno())
            beside.replace(path)
            sync_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def shipped(path: Path) -> Path:
    """Return a path, below the checkout where it is there and not below the present folder.

    The project's own configurations name its files so, and work from any folder.
    """
    own = CHECKOUT / path
    return own if own.exists() and not path.exists() else path


def is_below(name: str) -> bool:
    """Tell whether a path from a folder stays in it, going by its words alone."""
    path = PurePosixPath(name)
    stays = bool(path.parts) and not path.is_absolute() and ".." not in path.parts
    return stays and is_name(name)


def is_name(text: str) -> bool:
    """Tell whether a file can be named so at all."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with replacing(path) as beside:
        beside.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8.

    A byte of a file name that is no UTF-8 (`surrogateescape`) is written as \\udcxx, which JSON and
    JavaScript read back as what it was.
    """
    write_bytes(path, text.encode(errors="backslashreplace"))


def encoded(text: str) -> bytes:
    """Return text as UTF-8, a byte of a file name that is no UTF-8 as it is on disk: for hashes."""
    return text.encode(errors="surrogateescape")


def escaped(text: str) -> str:
    """Return JSON that is UTF-8: a byte of a file name that is none as \\udcxx, as `write_text`."""
    return text.encode(errors="backslashreplace").decode()


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` atomically, as indented JSON."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """Return `value` as indented JSON."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def remove_partials(folder: Path) -> None:
    """Remove what a killed run left behind below `folder`."""
    for stray in folder.rglob(f".*{PARTIAL}*"):
        stray.unlink(missing_ok=True)


def pixel_hash(pixels: np.ndarray) -> str:
    """Return the SHA-256 of an array's shape, type and values (hex).

    Hashes decoded pixels, because the bytes of two PNG files of the same picture may differ.
    """
    digest = hashlib.sha256(f"{pixels.shape}{pixels.dtype.str}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
