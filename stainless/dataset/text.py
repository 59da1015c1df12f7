"""Text that people bring: whatever it is encoded in, and names however they are composed."""

from __future__ import annotations

import codecs
import contextlib
import os
import posixpath
import re
import unicodedata
from pathlib import Path
from typing import Any

from stainless.errors import InputError
from stainless.json_text import parse
from stainless.limits import MOST_TEXT

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # The mark of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Letters of cp1252.
_WESTERN = re.compile(rb"[\x8a\x8c\x8e\x9a\x9c\x9e\x9f\xc0-\xd6\xd8-\xf6\xf8-\xff]+")

#: First byte of the last of the common characters of GB 2312 (its level 1, B0 to D7).
_LAST_COMMON = 0xD7

_HIGH = re.compile(rb"[\x80-\xff]+")


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, in UTF-16 or 32 with a mark, in GB18030 or in cp1252.

    Raises:
        InputError: the file is missing, or is too long, or is no text of its mark's
            encoding.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_TEXT + 1)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    if len(data) > MOST_TEXT:
        raise InputError(f"{path}: has more than {MOST_TEXT} bytes, too many for a text")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                raise InputError(f"{path}: is no {encoding.upper()} text; it is corrupt") from None
    return decoded(data)


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, its text as `read_text` takes it.

    Raises:
        InputError: the file is missing or is no JSON.
    """
    text = read_text(path)
    try:
        return parse(text)
    except ValueError:
        # Python refuses integers of thousands of digits, too.
        raise InputError(f"{path}: is not JSON; it is corrupt or truncated") from None


def decoded(data: bytes) -> str:
    """Return text of an unknown encoding.

    What is no UTF-8 is Chinese (GB18030) where most runs of high bytes have an even length, since
    a character takes two of them, and Western (cp1252) otherwise; so it is where all high bytes are
    Western letters and, in pairs, mostly no common Chinese ones (`größe`).
    """
    runs = _HIGH.findall(data)
    even = [run for run in runs if len(run) % 2 == 0]
    pairs = [run[at : at + 2] for run in even for at in range(0, len(run), 2)]
    common = sum(pair[0] <= _LAST_COMMON and pair[1] > 0xA0 for pair in pairs)
    is_western = all(map(_WESTERN.fullmatch, runs)) and 2 * common < len(pairs)
    is_chinese = 2 * len(even) > len(runs) and not is_western
    guesses = ("gb18030", "cp1252") if is_chinese else ("cp1252", "gb18030")
    for encoding in ("utf-8", *guesses):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def composed(name: str) -> str:
    """Return a name by which two spellings of it are equal: letters and accents in one (NFC)."""
    return unicodedata.normalize("NFC", name)


def spelled(path: str) -> str:
    """Return a path as it is compared with one in a text: slashes, no detours, letters composed.

    The name of a file that is no UTF-8 is taken as text of the encoding that it seems to have.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        # What no file can be named, a text may have all the same.
        with contextlib.suppress(UnicodeEncodeError):
            path = decoded(os.fsencode(path))
    return composed(posixpath.normpath(path.replace("\\", "/")))
