"""The report: kinds and flaws first, then what general sections there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from train.calibration.diagram import reliability_svg
from train.calibration.quality import Bin, Quality
from train.experiments.logical.marks import marks_table
from train.experiments.logical.tables import Table, cells, tables
from train.report import sections
from train.report.markup import escape
from train.report.reading import Reading
from train.report.results import Results
from train.report.sections import Page, Section

MARKS = "What each method marks, best and worst"


def compose(results: Results, reading: Reading, folder: Path) -> Page:
    """Return the page."""
    own = results["own"]
    data, counts = own["data"], own["counts"]
    found = {table.key: table for table in tables(results)}
    by_kind = [_section(found[key]) for key in ("kinds", "limits", "flaws") if key in found]
    badge = {
        "rendered": ("standin", "Rendered pictures: no photograph is in this experiment"),
        "photographs": ("given", "Photographs"),
    }.get(data["kind"], ("given", f"Pictures: {data['kind']}"))
    return Page(
        [
            *by_kind,
            sections.findings(results),
            Section("marks", "Marks", MARKS, marks_table(results, reading)),
            *([_calibration(found["calibration"], own)] if "calibration" in found else []),
            _section(found["took"]),
            sections.classes(results),
            sections.methods(results, reading),
            sections.cases(results, reading),
            sections.curves(results),
            sections.learning(results),
        ],
        badge,
        f"Validation split: {own['note']}.",
        {
            "Learned from": f"{counts['train']} good pictures",
            "Validation": f"{counts['validation']}, {counts['validation_good']} of them good",
        },
        {"Data": f"{data['data']}, category {data['category']}"},
    )


def _section(table: Table) -> Section:
    return Section(
        table.key, table.title, table.title, f"<p>{escape(table.text)}</p>{_html(table)}"
    )


def _html(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in table.head)
    rows = []
    for row in cells(table):
        (name, _), *rest = row
        last = len(table.head) - len(row) + 1
        texts = [
            f"<td{f' colspan={last}' if last > 1 and at == len(rest) - 1 else ''}>"
            f"{f'<b>{escape(text)}</b>' if best else escape(text)}</td>"
            for at, (text, best) in enumerate(rest)
        ]
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(texts)}</tr>')
    return (
        f'<div class="scroll"><table class="compared" id="table-{escape(table.key)}"><thead>'
        f"<tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _calibration(table: Table, own: dict[str, Any]) -> Section:
    """Return the table of all curves, and the reliability diagram of the one that speaks."""
    diagrams = []
    for name, found in own["calibration"].items():
        if found is not None:
            known = found["curves"][found["chosen"]]
            bins = [Bin(**entry) for entry in known["bins"]]
            diagrams.append(reliability_svg(name, Quality(known["ece"], known["brier"], bins)))
    body = f"<p>{escape(table.text)}</p>{_html(table)}<div>{''.join(diagrams)}</div>"
    return Section(table.key, table.title, table.title, body)
