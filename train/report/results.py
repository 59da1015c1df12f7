"""`results.json`: all that an experiment found, typed; reports are made from it and the pictures.

A file of another version is refused in a line, so that no reader takes old figures for new ones.
"""

from __future__ import annotations

import json
import types
import typing
from collections import Counter
from pathlib import Path
from typing import Any, TypedDict

from stainless.errors import InputError
from stainless.files import write_json
from stainless.json_text import parse

RESULTS = "results.json"

#: Of what is written below; 1 had no version, and was one experiment's alone.
VERSION = 3


class Spread(TypedDict):
    """A figure over repeats; None where it is undefined, a single repeat has no spread."""

    mean: float | None
    spread: float | None


class ClassFigures(TypedDict):
    """A method's figures of one class; `recall` is that at each coverage threshold."""

    kind: str
    instances: int
    figures: dict[str, Spread]
    recall: list[float | None]


class Quantity(TypedDict):
    """Something that methods remember of their passes; see `train.detectors.history`."""

    title: str
    logarithmic: bool


class Pass(TypedDict):
    """One pass over the pictures; `fit` is the method whose fit it belongs to."""

    fit: str
    epoch: int
    values: dict[str, float | None]


class Repeat(TypedDict):
    """One repeat of a method; `threshold` is that of pixels, `seconds` are of its own last step."""

    seed: int
    threshold: float | None
    picture_threshold: float | None
    seconds: float | None
    cpu_seconds: float | None
    summary: dict[str, float | None]
    learning: list[Pass]


class MethodResults(TypedDict):
    """A row of the tables; `predictions` is a folder, `per_image` rows are those of `evaluate`."""

    name: str
    slug: str
    family: str
    note: str | None
    summary: dict[str, Spread]
    classes: dict[str, ClassFigures]
    recall: list[float | None]
    repeats: list[Repeat]
    predictions: str
    per_image: list[dict[str, Any]]


class Image(TypedDict):
    """A test picture, its ground truth, and how many instances of each class it shows."""

    name: str
    picture: str
    mask: str | None
    class_image: str | None
    label: str
    group: str | None
    contains: dict[str, int]


class Comparison(TypedDict):
    """A figure of two methods, the difference, and the ends of its interval."""

    what: str
    first: str
    second: str
    first_value: float | None
    second_value: float | None
    difference: float | None
    low: float | None
    high: float | None
    spread: float | None
    verdict: str


class Finding(TypedDict):
    """A claim with its verdict, the comparisons that it rests on, and what may be behind it."""

    claim: str
    verdict: str
    comparisons: list[Comparison]
    reason: str


class Stage(TypedDict):
    """What a stage took."""

    name: str
    seconds: float | None
    cpu_seconds: float | None


class Results(TypedDict):
    """All of it; `own` is what the experiment adds for sections of its own."""

    version: int
    experiment: str
    title: str
    families: dict[str, str]
    shown: list[str]
    classes: dict[str, str]
    class_index: dict[str, int]
    coverage_thresholds: list[float]
    images: list[Image]
    methods: list[MethodResults]
    quantities: dict[str, Quantity]
    findings: list[Finding]
    own: dict[str, Any]
    stages: list[Stage]
    peak_memory_mb: float | None
    machine: str | None
    versions: dict[str, str]
    config: dict[str, Any]
    seeds: list[int]
    commands: list[str]


def write_results(folder: Path, results: Results) -> None:
    """Write `<folder>/results.json`."""
    write_json(folder / RESULTS, results)


def read_results(folder: Path) -> Results:
    """Return what `<folder>/results.json` holds; numbers that are not finite become None.

    Raises:
        InputError: it is missing, no JSON, of another version, or lacks something; names the file
            and the key.
    """
    path = folder / RESULTS
    try:
        content = parse(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise InputError(f"{path}: {reason}; expected the folder of an experiment") from None
    except ValueError:
        raise InputError(f"{path}: is not JSON; it is corrupt or truncated") from None
    version = content.get("version", 1) if isinstance(content, dict) else None
    if isinstance(content, dict) and version != VERSION:
        raise InputError(
            f"{path}: is of version {_short(version)}, expected {VERSION}; the command "
            "of the experiment writes it anew"
        )
    _require(content, Results, str(path), "")
    results = typing.cast(Results, content)
    if not results["images"] or not results["methods"]:
        raise InputError(f"{path}: has no images or no methods, expected at least one of each")
    _check_methods(results, path)
    return results


def _require(value: Any, kind: Any, path: str, key: str) -> None:
    """Check a value of JSON against a type of this module.

    Raises:
        InputError: it differs; names the file and the key.
    """
    where = f"{path}: {key}" if key else path
    if typing.is_typeddict(kind):
        if not isinstance(value, dict):
            raise InputError(f"{where}: is no object, expected one with {', '.join(_hints(kind))}")
        for name, inner in _hints(kind).items():
            if name not in value:
                raise InputError(f"{where}: has no {name!r}")
            _require(value[name], inner, path, f"{key}.{name}".lstrip("."))
        return
    family, arguments = typing.get_origin(kind), typing.get_args(kind)
    if family is list and isinstance(value, list):
        for number, entry in enumerate(value):
            _require(entry, arguments[0], path, f"{key}[{number}]")
    elif family is dict and isinstance(value, dict):
        for name, entry in value.items():
            _require(entry, arguments[1], path, f"{key}.{name}")
    elif not _is(value, kind):
        raise InputError(f"{where} is {_short(value)}, expected {_described(kind)}")


def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _is(value: Any, kind: Any) -> bool:
    """Tell whether a plain value is of a type; a whole number is a number, too."""
    if kind is Any:
        return True
    if isinstance(kind, types.UnionType):
        return any(_is(value, option) for option in typing.get_args(kind))
    if typing.get_origin(kind) is not None:
        return False
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is kind


def _described(kind: Any) -> str:
    names = {str: "a text", int: "a whole number", float: "a number", type(None): "null"}
    if isinstance(kind, types.UnionType):
        return " or ".join(_described(option) for option in typing.get_args(kind))
    return names.get(kind, "a list" if typing.get_origin(kind) is list else "an object")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."


def _check_methods(results: Results, path: Path) -> None:
    """Check that names are unique and that all methods are of the same pictures."""
    known = {image["name"] for image in results["images"]}
    names = [method["name"] for method in results["methods"]]
    slugs = [method["slug"] for method in results["methods"]]
    for name in results["shown"]:
        if name not in names:
            raise InputError(f"{path}: shown: {name!r}, expected the name of a method")
    for key, values in (("name", names), ("slug", slugs)):
        value, count = Counter(values).most_common(1)[0]
        if count > 1:
            raise InputError(f"{path}: {count} methods have the {key} {value!r}, expected one")
    for method in results["methods"]:
        where = f"{path}: method {method['name']!r}"
        if method["family"] not in results["families"]:
            listed = ", ".join(results["families"])
            raise InputError(f"{where}: family is {method['family']!r}, expected {listed}")
        for number, row in enumerate(method["per_image"]):
            if not {"name", "label"} <= row.keys():
                raise InputError(f"{where}: per_image[{number}]: has no 'name' or no 'label'")
        for name in results["classes"]:
            if name not in method["classes"]:
                raise InputError(f"{where}: classes: has no {name!r}")
        rows = {row["name"] for row in method["per_image"]}
        if rows != known:
            strange = min(rows ^ known)
            raise InputError(f"{where}: per_image and images disagree about {strange!r}")


def families(results: Results) -> dict[str, list[MethodResults]]:
    """Return the methods of each family that has any, in the order of the tables."""
    return {
        family: members
        for family in results["families"]
        if (members := [method for method in results["methods"] if method["family"] == family])
    }


def shown_methods(results: Results) -> list[MethodResults]:
    """Return the few methods that figures show, as the experiment chose them."""
    by_name = {method["name"]: method for method in results["methods"]}
    return [by_name[name] for name in results["shown"]]


def mean(method: MethodResults, figure: str) -> float | None:
    """Return a figure's mean over the repeats of a method, None where undefined."""
    found = method["summary"].get(figure)
    return found["mean"] if found is not None else None


def class_names(results: Results) -> list[str]:
    """Return the classes, defects first."""
    kinds = results["classes"]
    return sorted(kinds, key=lambda name: kinds[name] != "defect")
