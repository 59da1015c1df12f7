"""The tables of the survey as plain data, for the page and for documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from train.metrics.saturation import LIMITS, QUOTED
from train.report.markup import number, spoken
from train.report.results import Results


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        key: its address.
        title: above it.
        text: what must be known to read it.
        head: of its columns; the first is of the names of rows.
        rows: texts and numbers; None for what is undefined.
        best: by column how the best number is found: max, min, or None for a column without one.
    """

    key: str
    title: str
    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    best: Sequence[Any] = ()


def tables(results: Results) -> list[Table]:
    """Return all tables that the results have something for."""
    made = [_kinds(results), _limits(results), _flaws(results), _costs(results)]
    return [table for table in [*made, _calibration(results)] if table is not None and table.rows]


def _kinds(results: Results) -> Table:
    """Return the figures by kind of anomaly; methods that were not run are rows, too."""
    own = results["own"]
    groups = [
        group
        for group in ("structural", "logical", "mean of both", "all together")
        if any(group in of_method for of_method in own["kinds"].values())
    ]
    has_overlap = any("au_spro" in of[group] for of in own["kinds"].values() for group in groups)
    figures = [("image_auroc", "image AUROC"), ("pixel_auroc", "pixel AUROC")]
    if has_overlap:
        figures.append(("au_spro", f"AU-sPRO {QUOTED:g}"))
        groups = groups[:3]
    head = ["method", *(f"{title}, {group}" for _, title in figures for group in groups)]
    head += ["thesis, LOCO", "thesis, connector", "thesis quotes, MVTec AD"]
    rows = []
    for name, known in own["kinds"].items():
        values = [known.get(group, {}).get(key) for key, _ in figures for group in groups]
        rows.append([name, *values, "blank", "blank", own["published"].get(name)])
    for name, why in own["absent"].items():
        rows.append([name, f"not run: {why}"])
    text = (
        "Pictures of one kind with all good ones; the mean of both kinds is what stands for a "
        "method. The tables of the thesis, of MVTec LOCO AD and of the connector, are empty, which "
        "is what “blank” says; it quotes the mean image AUROC of MVTec AD from the methods' own "
        "papers."
    )
    best = [None, *(max for _ in figures for _ in groups), None, None, None]
    return Table("kinds", "By kind of anomaly", text, head, rows, best)


def _limits(results: Results) -> Table | None:
    """Return AU-sPRO at every limit of the false positive rate, mean of both kinds."""
    rows = []
    for name, known in results["own"]["kinds"].items():
        at = known.get("mean of both", {}).get("au_spro_at")
        if at:
            rows.append([name, *(at[f"{limit:g}"] for limit in LIMITS)])
    head = ["method", *(f"{limit:g}" for limit in LIMITS)]
    text = f"Mean of both kinds; {QUOTED:g} is the one to quote."
    return Table("limits", "AU-sPRO up to a false positive rate of", text, head, rows, _most(head))


def _flaws(results: Results) -> Table:
    """Return the figures of each flaw: image AUROC, and AU-sPRO where there is one."""
    own = results["own"]["kinds"]
    first = next(iter(own.values()))
    flaws = [name for name in first if name not in _SECTIONS]
    with_overlap = "au_spro" in first[flaws[0]] if flaws else False
    head = ["method", *(f"{spoken(flaw)}" for flaw in flaws)]
    if with_overlap:
        head += [f"{spoken(flaw)}, AU-sPRO" for flaw in flaws]
    rows = []
    for name, known in own.items():
        row = [name, *(known.get(flaw, {}).get("image_auroc") for flaw in flaws)]
        if with_overlap:
            row += [known.get(flaw, {}).get("au_spro") for flaw in flaws]
        rows.append(row)
    text = "Image AUROC of the pictures that show a flaw with all good ones" + (
        f", then AU-sPRO {QUOTED:g} of its regions." if with_overlap else "."
    )
    return Table("flaws", "By flaw", text, head, rows, _most(head))


_SECTIONS = ("structural", "logical", "mean of both", "all together")


def _costs(results: Results) -> Table:
    """Return what each method took."""
    head = [
        "method",
        "steps",
        "of published",
        "pictures",
        "fit, CPU s",
        "score, CPU s a picture",
        "peak MB, fit",
        "peak MB, scoring",
        "not as published",
    ]
    notes = {entry["name"]: entry["note"] for entry in results["methods"]}
    rows = []
    for name, cost in results["own"]["costs"].items():
        rows.append(
            [
                name,
                cost["steps"],
                cost["published_steps"],
                cost["pictures"],
                round(cost["fit_cpu_seconds"]),
                cost["score_cpu_seconds"],
                *(round(peak) for peak in cost["peak_mb"]),
                notes.get(name) or "",
            ]
        )
    text = (
        "Steps of the optimiser, reached and published for as many pictures. An ensemble's time is "
        "that of its head alone. Memory is the peak of the process, some 700 MB of libraries "
        "included."
    )
    return Table("took", "Steps, time and memory", text, head, rows)


def _calibration(results: Results) -> Table | None:
    """Return how well each curve is calibrated on the test pictures."""
    known = {name: found for name, found in results["own"]["calibration"].items() if found}
    if not known:
        return None
    curves = list(next(iter(known.values()))["curves"])
    head = ["method", *(f"ECE, {curve}" for curve in curves)]
    head += [f"Brier, {curve}" for curve in curves]
    rows = [
        [name, *(found["curves"][c][key] for key in ("ece", "brier") for c in curves)]
        for name, found in known.items()
    ]
    text = (
        "Expected calibration error and Brier score of the probability that a picture is "
        "defective: curves fitted to the validation pictures, assessed on the test pictures, of "
        "which another share is defective."
    )
    best = [None, *([min] * (len(head) - 1))]
    return Table("calibration", "Calibration", text, head, rows, best)


def _most(head: Sequence[str]) -> list[Any]:
    return [None, *([max] * (len(head) - 1))]


def cells(table: Table) -> list[list[tuple[str, bool]]]:
    """Return the texts of a table, each with whether it is the best of its column."""
    best = {}
    for column, choose in enumerate(table.best):
        values = [
            round(row[column], 3)
            for row in table.rows
            if choose is not None and column < len(row) and isinstance(row[column], float)
        ]
        best[column] = choose(values) if values else None
    return [
        [
            (
                number(value) if value is None or isinstance(value, float) else str(value),
                isinstance(value, float) and round(value, 3) == best.get(column),
            )
            for column, value in enumerate(row)
        ]
        for row in table.rows
    ]
