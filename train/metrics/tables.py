"""The result of `evaluate` for people: a printed table, and a CSV with a row an image."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from train.metrics.figures import CLASS_FIGURES, FIGURES, measures
from train.metrics.text_table import cell, grid


def csv_text(result: Mapping[str, Any]) -> str:
    """Return the rows "per_image" as CSV, without their classes; truth values are 0 and 1.

    What could not be measured has no column.
    """
    rows = [
        {key: value for key, value in row.items() if not isinstance(value, dict | list)}
        for row in result["per_image"]
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: int(x) if isinstance(x, bool) else x for key, x in row.items()})
    return text.getvalue()


def format_table(result: Mapping[str, Any]) -> str:
    """Return the metrics as lines of text; "-" stands for undefined."""
    images, missing = result["images"], result["missing"]
    lines = [
        f"{images['count']} images, {images['good']} of them good; {_thresholds(result)}",
        "",
        *_figures(result),
        "",
    ]
    for reason in dict.fromkeys(missing.values()):
        names = ", ".join(name for name, why in missing.items() if why == reason)
        lines.append(f"not measured, since {reason}: {names}")
    lines += [] if "defects" in missing else _by_class(result)
    own = (module.table(result) for module in measures().values() if hasattr(module, "table"))
    return "\n".join([*lines, *(line for table in own for line in table)])


def _thresholds(result: Mapping[str, Any]) -> str:
    best = cell((result.get("pixels") or {}).get("f1_max_threshold"), ".6g")
    texts = [f"threshold {cell(result['threshold'], '.6g')}, best on these images {best}"]
    if result["picture_threshold"] is not None:
        texts.append(f"picture threshold {result['picture_threshold']:.6g}")
    return "; ".join(texts)


def _figures(result: Mapping[str, Any]) -> list[str]:
    """Return a row for each section, and a column for each figure that any of them has."""
    shown = [figure for figure in FIGURES.values() if figure.column is not None]
    columns = {figure.name: figure.column or figure.title for figure in shown}
    rows = {}
    for section in dict.fromkeys(figure.section for figure in shown):
        if section not in result["missing"]:
            values = [result[section].get(name, "") for name in columns]
            rows[section] = ["" if isinstance(value, list) else value for value in values]
    return grid(list(columns.values()), rows)


def _by_class(result: Mapping[str, Any]) -> list[str]:
    defects = result["defects"]
    head = ["kind", "number", *(figure.label for figure in CLASS_FIGURES.values())]
    head += ["any" if t == 0 else f"{t:.0%}" for t in defects["coverage_thresholds"]]
    rows = {
        name: [
            known["kind"],
            known["instances"],
            *(known[key] for key in CLASS_FIGURES),
            *known["recall"],
        ]
        for name, known in result["classes"].items()
    }
    overall = {"pixel_recall": result["pixels"]["recall"], "mean_recall": defects["mean_recall"]}
    every = ["", defects["count"], *(overall.get(key, "") for key in CLASS_FIGURES)]
    rows["all defects"] = [*every, *defects["recall"]]
    return [
        "recall by class, and at the share of a defect's pixels that must be found:",
        *grid(head, rows),
    ]
