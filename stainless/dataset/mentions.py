"""Files that name pictures: what does so in a dataset and is none of ours labels them, in some way.

That holds for the formats that there are and for those to come (CreateML, VIA, Label Studio's short
form, tables of boxes, ...), so none has to be known.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from stainless.dataset.listing import list_images
from stainless.dataset.text import composed, read_text, spelled
from stainless.errors import InputError

#: Endings of texts that may name pictures.
TEXTS = (".json", ".jsonl", ".ndjson", ".xml", ".csv", ".tsv", ".txt")

#: Files of ours, which label nothing beyond what is read.
OURS = frozenset(
    (
        *("groups.csv", "manifest.jsonl", "verdicts.jsonl", "progress.jsonl", "per_image.csv"),
        *("findings.csv", "metrics.json", "curves.csv", "learning.csv", "methods.csv"),
        *("classes.csv", "classes.json", "areas.json", "defects_config.json"),
    )
)

#: Between values of JSON, XML and tables, and between the folders of a path.
_BETWEEN = re.compile(r"[\"'<>,;|\t\r\n/\\=&]+")

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")

#: What Label Studio puts in front of the name of a picture that is uploaded.
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)

#: The head of a column of pictures that are named without their ending.
_OF_PICTURES = re.compile(r"image|img|file|name|picture|path|id\b", re.IGNORECASE)

#: What an entry of a list of labels has where a picture is but a number.
_NUMBERED = {"image_id", "category_id"}


class Pictures:
    """The names of the pictures in and below a folder, listed once they are asked for."""

    def __init__(self, place: Path) -> None:
        self._place = place

    @cached_property
    def names(self) -> frozenset[str]:
        """Names with endings."""
        paths = list_images(self._place, deep=True) if self._place.is_dir() else []
        return frozenset(spelled(path.name) for path in paths)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Names without endings."""
        return frozenset(Path(name).stem for name in self.names)


def mentions(path: Path, pictures: Pictures) -> bool:
    """Tell whether a text says something about a picture.

    In JSON, XML and tables the name of one is enough, or in a table's first column or as the key of
    a mapping that without its ending. In a plain text, a picture's own (000.txt) has a line of four
    numbers, or every other line has a name and something more; a list of names alone says nothing.
    """
    ending = path.suffix.lower()
    if ending not in TEXTS or path.name in OURS:
        return False
    try:
        text = read_text(path)
    except InputError:
        return False
    if ending == ".txt":
        return _is_table_of(text, path, pictures)
    if pictures.names & set(map(_bare, _BETWEEN.split(_unescaped(text)))):
        return True
    return ending in (".csv", ".tsv") and _is_column_of(text, pictures)


def mentions_by_key(content: Any, pictures: Pictures) -> bool:
    """Tell whether JSON's content labels pictures by number, or by their names without ending."""
    if isinstance(content, list):
        return any(isinstance(entry, dict) and set(entry) >= _NUMBERED for entry in content[:1])
    if not isinstance(content, dict) or not content:
        return False
    # Keys that just count stand for classes as well.
    keys = [key for key in content if not re.fullmatch(r"0|[1-9]\d*", key)]
    named = sum(composed(key) in pictures.stems for key in keys)
    return named > 0 and 2 * named >= len(content)


def _unescaped(text: str) -> str:
    if "\\u" not in text:
        return text.replace("\\/", "/")
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text).replace("\\/", "/")


def _bare(value: str) -> str:
    return composed(_UPLOADED.sub("", value.strip()))


def _is_table_of(text: str, path: Path, pictures: Pictures) -> bool:
    lines = [line.replace(",", " ").split() for line in text.splitlines() if line.strip()]
    if spelled(path.stem) in pictures.stems:
        return any(sum(map(bool, map(_NUMBER.fullmatch, line))) >= 4 for line in lines)
    about = [line for line in lines if len(line) > 1 and _names_one(line, pictures)]
    return bool(about) and 2 * len(about) >= len(lines)


def _names_one(words: list[str], pictures: Pictures) -> bool:
    values = (value for word in words for value in _BETWEEN.split(word))
    return not pictures.names.isdisjoint(map(_bare, values))


def _is_column_of(text: str, pictures: Pictures) -> bool:
    first = [re.split(r"[,;\t]", line)[0].strip(" \"'") for line in text.splitlines()]
    if not first or not _OF_PICTURES.search(first[0]):
        return False
    named = sum(composed(cell) in pictures.stems for cell in first[1:])
    return named > 0 and 2 * named >= len(first) - 1
