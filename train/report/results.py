"""results.json of a sim-to-real experiment: read, checked, and which of its methods to show."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stainless.errors import InputError

Results = dict[str, Any]
Method = dict[str, Any]

#: Kinds of methods in the order of the tables, and how they are called.
FAMILIES = {
    "real": "Trained on real pictures",
    "synthetic": "Trained on synthetic pictures",
    "finetuned": "Synthetic, finetuned on real",
    "melded": "Melded",
    "baseline": "Baselines",
}

_TOP: dict[str, type | tuple[type, ...]] = {
    "title": str,
    "real": dict,
    "synthetic": dict,
    "classes": dict,
    "coverage_thresholds": list,
    "images": list,
    "class_index": dict,
    "methods": list,
    "findings": list,
    "memory_map": (dict, type(None)),
    "stages": list,
    "peak_memory_mb": (int, float, type(None)),
    "machine": (str, type(None)),
    "versions": dict,
    "config": dict,
    "seeds": list,
    "commands": list,
}
_REAL = {"root": str, "category": str, "kind": str}
_IMAGE = {"name": str, "picture": str, "label": str, "contains": dict}
_METHOD = {
    "name": str,
    "slug": str,
    "family": str,
    "summary": dict,
    "classes": dict,
    "recall": list,
    "repeats": list,
    "predictions": str,
    "per_image": list,
}
_NUMBER = (int, float, type(None))
_PAIR = {"mean": _NUMBER}
_CLASS = {"pixel_recall": dict, "mean_recall": dict, "recall": (list, type(None))}
_REPEAT = {"learning": (list, type(None))}
_ROW = {"name": str, "label": str}
_STAGE = {"name": str, "seconds": _NUMBER}
_FINDING = {"claim": str, "verdict": str, "comparisons": list, "reason": str}


def read_results(folder: Path) -> Results:
    """Return what `<folder>/results.json` holds; numbers that are not finite become None.

    Raises:
        InputError: it is missing, no JSON, or lacks something; names the file and the key.
    """
    path = folder / "results.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise InputError(f"{path}: {reason}; expected the folder of an experiment") from None
    except ValueError:
        raise InputError(f"{path}: is not JSON; it is corrupt or truncated") from None
    _require(content, _TOP, str(path))
    _require(content["real"], _REAL, f"{path}: real")
    for number, image in enumerate(content["images"]):
        _require(image, _IMAGE, f"{path}: images[{number}]")
    for number, finding in enumerate(content["findings"]):
        _require(finding, _FINDING, f"{path}: findings[{number}]")
    for number, stage in enumerate(content["stages"]):
        _require(stage, _STAGE, f"{path}: stages[{number}]")
    if not content["images"] or not content["methods"]:
        raise InputError(f"{path}: has no images or no methods, expected at least one of each")
    for number, method in enumerate(content["methods"]):
        _require(method, _METHOD, f"{path}: methods[{number}]")
    _check_methods(content, path)
    return content


def _require(value: Any, keys: Mapping[str, Any], where: str) -> None:
    if not isinstance(value, dict):
        raise InputError(f"{where}: is no object, expected one with {', '.join(keys)}")
    for key, kind in keys.items():
        if key not in value:
            raise InputError(f"{where}: has no {key!r}")
        if not isinstance(value[key], kind):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            names = " or ".join("null" if one is type(None) else one.__name__ for one in kinds)
            raise InputError(f"{where}: {key} is {_short(value[key])}, expected {names}")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."


def _check_methods(content: Results, path: Path) -> None:
    known = {image["name"] for image in content["images"]}
    for key in ("name", "slug"):
        name, count = Counter(method[key] for method in content["methods"]).most_common(1)[0]
        if count > 1:
            raise InputError(f"{path}: {count} methods have the {key} {name!r}, expected one")
    for method in content["methods"]:
        where = f"{path}: method {method['name']!r}"
        if method["family"] not in FAMILIES:
            raise InputError(
                f"{where}: family is {method['family']!r}, expected {', '.join(FAMILIES)}"
            )
        for metric, found in method["summary"].items():
            _require(found, _PAIR, f"{where}: summary: {metric}")
        for name, found in method["classes"].items():
            _require(found, _CLASS, f"{where}: class {name!r}")
            for metric in ("pixel_recall", "mean_recall"):
                _require(found[metric], _PAIR, f"{where}: class {name!r}: {metric}")
        for key, keys in (("repeats", _REPEAT), ("per_image", _ROW)):
            for number, entry in enumerate(method[key]):
                _require(entry, keys, f"{where}: {key}[{number}]")
        rows = {row["name"] for row in method["per_image"]}
        if rows != known:
            strange = min(rows ^ known)
            raise InputError(f"{where}: per_image and images disagree about {strange!r}")


def families(results: Results) -> dict[str, list[Method]]:
    """Return the methods of each family that has any, in the order of the tables."""
    return {
        family: members
        for family in FAMILIES
        if (members := [one for one in results["methods"] if one["family"] == family])
    }


def mean(method: Method, metric: str) -> float | None:
    """Return a metric's mean over the repeats of a method, None where undefined."""
    found = method["summary"].get(metric) or {}
    return found.get("mean")


def chosen_methods(results: Results) -> list[Method]:
    """Return the few methods that figures show: those that the paper's own figures compare.

    Real, Synth, Synth_WS, and of the finetuned and the melded each the one of the highest pixel F1.
    Where a name is missing, the first of its family not yet chosen stands for it.
    """
    groups = families(results)
    found: list[Method] = []

    def take(members: list[Method], wanted: Callable[[Method], bool]) -> None:
        rest = [one for one in members if one not in found]
        found.extend(([one for one in rest if wanted(one)] or rest)[:1])

    for family, name in (("real", "Real"), ("synthetic", "Synth"), ("synthetic", "Synth_WS")):
        take(groups.get(family, []), lambda one, name=name: one["name"] == name)  # type: ignore[misc]
    for family in ("finetuned", "melded"):
        ranked = sorted(groups.get(family, []), key=lambda one: -(mean(one, "f1") or 0.0))
        take(ranked, lambda one: True)
    return found or results["methods"][:5]


def class_names(results: Results) -> list[str]:
    """Return the classes, defects first."""
    kinds = results["classes"]
    return sorted(kinds, key=lambda name: kinds[name] != "defect")
