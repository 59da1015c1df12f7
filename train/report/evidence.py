"""Which test pictures stand behind each number of the tables, in the order of interest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from train.metrics import CLASS_FIGURES, FIGURES
from train.report.results import MethodResults, Results

Row = Mapping[str, Any]


def evidence(results: Results, chosen: Sequence[int]) -> dict[str, Any]:
    """Return, ready for JSON, what the page needs to show the pictures behind a number.

    Args:
        results: of the experiment.
        chosen: places of the embedded pictures in results["images"].

    Returns:
        "methods": by slug its name and, an entry an embedded picture, its "numbers"; "orders": by
        slug and metric (of a class: "pixel_recall:scratch") "all", the number of pictures
        concerned, and "shown", indices into the embedded pictures; "rules": by metric.
    """
    names = [image["name"] for image in results["images"]]
    index = {names[place]: at for at, place in enumerate(chosen)}
    methods, orders = {}, {}
    for method in results["methods"]:
        rows = {row["name"]: row for row in method["per_image"]}
        methods[method["slug"]] = {
            "name": method["name"],
            "numbers": [_numbers(rows[names[place]]) for place in chosen],
        }
        found = {metric: order(method, metric) for metric in FIGURES}
        for name, kind in results["classes"].items():
            for metric in CLASS_FIGURES:
                found[f"{metric}:{name}"] = class_order(method, metric, name, kind)
        orders[method["slug"]] = {
            metric: {"all": len(ranked), "shown": [index[name] for name in ranked if name in index]}
            for metric, ranked in found.items()
        }
    return {
        "methods": methods,
        "orders": orders,
        "rules": {key: figure.rule for key, figure in FIGURES.items()} | _class_rules(results),
        "kinds": results["classes"],
        "repeats": {m["slug"]: [r["seed"] for r in m["repeats"]] for m in results["methods"]},
    }


def _class_rules(results: Results) -> dict[str, str]:
    rules = {}
    for name, kind in results["classes"].items():
        end = "lowest" if kind == "defect" else "highest"
        for key, figure in CLASS_FIGURES.items():
            rules[f"{key}:{name}"] = (
                f"Pictures that contain this class (outlined), {end} {figure.rule} first."
            )
    return rules


def _numbers(row: Row) -> dict[str, Any]:
    keys = ("score", "pixel_tp", "pixel_fp", "pixel_fn", "defects", "defects_found")
    classes = {
        name: [found.get(key) for key in ("pixels", "found", "instances", "recall_sum")]
        for name, found in (row.get("classes") or {}).items()
        if found.get("pixels")
    }
    return {**{key: row.get(key) for key in keys}, "classes": classes}


def order(method: MethodResults, metric: str) -> list[str]:
    """Return the names of the pictures concerned by a figure of a method, see its rule."""
    rows = method["per_image"]
    return _ranked(rows, FIGURES[metric].worst(rows))


def class_order(method: MethodResults, metric: str, name: str, kind: str) -> list[str]:
    """Return the names of the pictures that contain a class, the worst of a method first."""
    sign = 1 if kind == "defect" else -1
    rows = method["per_image"]
    found = [CLASS_FIGURES[metric].of(row, name) for row in rows]
    return _ranked(rows, [None if value is None else sign * value for value in found])


def _ranked(rows: Sequence[Row], values: Sequence[float | None]) -> list[str]:
    """Return the names of the rows that have a value, smallest first, then by name."""
    known = [
        (value, row["name"]) for row, value in zip(rows, values, strict=True) if value is not None
    ]
    return [name for _, name in sorted(known)]
