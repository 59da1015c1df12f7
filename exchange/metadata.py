"""What a dataset's manifest says of a picture, in the numbers that a person asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stainless.json_text import parse

#: What a picture's metadata may be.
Value = float | int | str

#: Between the group of a number and its name.
GROUPED = ": "

#: Keys that tell nobody anything: what is known of a picture anyway, and seeds.
SILENT = re.compile(r"index|split|(.+_)?seeds?")

#: A key that ends in its unit.
MEASURED = re.compile(r"(.+?)_((?:per_)?(?:mm|um|cm2|px|rad|deg|e))")
SPELT = {"um": "µm", "per_mm": "per mm", "per_cm2": "per cm²", "cm2": "cm²"}


def read_metadata(manifest: Path, wanted: Iterable[str]) -> dict[str, dict[str, Value]]:
    """Return the metadata of pictures, by their path in the dataset.

    Reads line by line, since a line holds every number of a sample. One that was cut short by a
    kill says nothing, and so does a manifest that is not there.

    Args:
        manifest: the file.
        wanted: paths of the pictures.
    """
    names = set(wanted)
    found: dict[str, dict[str, Value]] = {}
    if not manifest.is_file():
        return found
    with manifest.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                entry = parse(line)
                files, parameters = set(entry["files"]), entry["parameters"]
            except (ValueError, KeyError, TypeError):
                continue
            if not isinstance(parameters, dict):
                continue
            head = {key.capitalize(): entry.get(key) for key in ("note", "sample", "seed")}
            metadata = {label: value for label, value in head.items() if _is_value(value)}
            metadata |= {_capitalized(label): value for label, value in flat(parameters)}
            found.update(dict.fromkeys(names & files, metadata))
    return found


def flat(parameters: Mapping[str, Any], group: str = "") -> Iterator[tuple[str, Value]]:
    """Yield label and value of each number or text below the keys of some parameters.

    Of a list of numbers it is their mean, of any other list how many members it has.

    Args:
        parameters: numbers and texts, lists and mappings of them.
        group: what every label begins with.
    """
    for key, value in parameters.items():
        if SILENT.fullmatch(key):
            continue
        measured = MEASURED.fullmatch(key)
        name, unit = measured.groups() if measured else (key, "")
        label, ending = group + _spoken(name), f", {SPELT.get(unit, unit)}" if unit else ""
        if isinstance(value, dict):
            yield from flat(value, group + _spoken(key) + GROUPED)
        elif isinstance(value, list) and value and all(map(_is_number, value)):
            yield f"{label} (mean){ending}", sum(value) / len(value)
        elif isinstance(value, list):
            yield label, len(value)
        elif isinstance(value, bool):
            yield label, "yes" if value else "no"
        elif _is_value(value):
            yield label + ending, value


def grouped(labels: Iterable[str]) -> list[str]:
    """Return labels with those of one group together, those of none first."""
    groups: dict[str, list[str]] = {"": []}
    for label in dict.fromkeys(labels):
        group, mark, _ = label.partition(GROUPED)
        groups.setdefault(group if mark else "", []).append(label)
    return [label for members in groups.values() for label in members]


def _spoken(key: str) -> str:
    return key.replace("_", " ")


def _capitalized(label: str) -> str:
    return label[:1].upper() + label[1:]


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # A float holds no whole number of hundreds of digits.
    return is_number and (isinstance(value, float) or abs(value) < 1 << 63)


def _is_value(value: Any) -> bool:
    return _is_number(value) or isinstance(value, str)
