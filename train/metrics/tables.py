"""The result of `evaluate` for people: a printed table, and a CSV with a row an image."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any


def csv_text(result: Mapping[str, Any]) -> str:
    """Return the rows "per_image" as CSV, without their classes; truth values are 0 and 1."""
    rows = [
        {key: value for key, value in row.items() if key != "classes"}
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
    pixels, images, defects = result["pixels"], result["images"], result["defects"]
    head = ["precision", "recall", "F1", "AUROC", "F1-max", "AU-PRO", "false alarms"]
    keys = ("precision", "recall", "f1", "auroc")
    pixel_row = [pixels[key] for key in keys] + [pixels["f1_max"], result["regions"]["au_pro"], ""]
    image_row = [images[key] for key in keys] + ["", "", images["false_alarm_rate"]]
    lines = [
        f"{images['count']} images, {images['good']} of them good; "
        f"threshold {result['threshold']:.6g}, best on these images "
        f"{_cell(pixels['f1_max_threshold'], '.6g')}",
        "",
        *_grid(head, {"pixels": pixel_row, "images": image_row}),
        "",
    ]
    head = ["kind", "number", "pixel recall", "mean recall"]
    head += ["any" if t == 0 else f"{t:.0%}" for t in defects["coverage_thresholds"]]
    rows = {
        name: [
            one["kind"],
            one["instances"],
            one["pixel_recall"],
            one["mean_recall"],
            *one["recall"],
        ]
        for name, one in result["classes"].items()
    }
    every = ["", defects["count"], pixels["recall"], defects["mean_recall"], *defects["recall"]]
    lines.append("recall by class, and at the share of a defect's pixels that must be found:")
    return "\n".join([*lines, *_grid(head, {**rows, "all defects": every})])


def _grid(head: Sequence[str], rows: Mapping[str, Sequence[Any]]) -> list[str]:
    cells = {name: [_cell(value, ".3f") for value in row] for name, row in rows.items()}
    first = max(len(name) for name in rows)
    widths = [
        max(len(title), *(len(row[column]) for row in cells.values()))
        for column, title in enumerate(head)
    ]
    table = {"": list(head), **cells}
    return [
        "  ".join([name.ljust(first), *(c.rjust(w) for c, w in zip(row, widths, strict=True))])
        for name, row in table.items()
    ]


def _cell(value: Any, form: str) -> str:
    if value is None:
        return "-"
    return format(value, form) if isinstance(value, float) else str(value)
