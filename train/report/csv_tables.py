"""The numbers of the page as CSV, at full precision; an empty field is undefined."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from train.metrics import CLASS_FIGURES, FIGURES
from train.report.results import Results, class_names
from train.report.tables import pair

#: File names of the tables.
TABLES = ("classes.csv", "methods.csv", "curves.csv", "learning.csv", "findings.csv")


def csv_tables(results: Results) -> dict[str, str]:
    """Return the text of each table by its file name."""
    rows = (_classes, _methods, _curves, _learning, _findings)
    return {name: _text(table(results)) for name, table in zip(TABLES, rows, strict=True)}


Row = Sequence[Any]

#: Endings of the columns of a mean and of its standard deviation over the repeats.
SPREAD = ("", "_spread")


def _text(rows: Iterable[Row]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _classes(results: Results) -> Iterable[Row]:
    values = [f"{key}{end}" for key in CLASS_FIGURES for end in SPREAD]
    yield ["method", "family", "class", "kind", "instances", *values]
    for method in results["methods"]:
        for name in class_names(results):
            found = method["classes"][name]
            yield [
                method["name"],
                method["family"],
                name,
                results["classes"][name],
                found["instances"],
                *(value for key in CLASS_FIGURES for value in pair(found["figures"].get(key))),
            ]


def _methods(results: Results) -> Iterable[Row]:
    columns = [f"{key}{end}" for key in FIGURES for end in SPREAD]
    yield ["method", "family", "repeats", *columns]
    for method in results["methods"]:
        values = [value for key in FIGURES for value in pair(method["summary"].get(key))]
        yield [method["name"], method["family"], len(method["repeats"]), *values]


def _curves(results: Results) -> Iterable[Row]:
    yield ["method", "class", "coverage_threshold", "recall"]
    for method in results["methods"]:
        curves = {"all defects": method["recall"]}
        for name in class_names(results):
            curves[name] = method["classes"][name]["recall"]
        for name, values in curves.items():
            for threshold, value in zip(results["coverage_thresholds"], values, strict=False):
                yield [method["name"], name, threshold, value]


def _learning(results: Results) -> Iterable[Row]:
    keys = list(results["quantities"])
    yield ["method", "seed", "fit", "epoch", *keys]
    for method in results["methods"]:
        for repeat in method["repeats"]:
            for entry in repeat["learning"]:
                values = [entry["values"].get(key) for key in keys]
                yield [method["name"], repeat["seed"], entry["fit"], entry["epoch"], *values]


def _findings(results: Results) -> Iterable[Row]:
    keys = ["what", "first", "second", "first_value", "second_value"]
    keys += ["difference", "low", "high", "spread", "verdict"]
    yield ["claim", "claim_verdict", "reason", *keys]
    for finding in results["findings"]:
        known = [finding["claim"], finding["verdict"], finding["reason"]]
        if not finding["comparisons"]:
            yield [*known, *(None for _ in keys)]
        for comparison in finding["comparisons"]:
            yield [*known, *(comparison.get(key) for key in keys)]
