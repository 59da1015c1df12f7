"""The page: the table of the promise, then what any experiment shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from train.report import sections
from train.report.markup import escape, number
from train.report.reading import Reading
from train.report.results import Results
from train.report.sections import Page, Section


def compose(results: Results, reading: Reading, folder: Path) -> Page:
    """Return the page."""
    del folder
    own = results["own"]
    general = sections.general(results, reading)
    first = Section("promise", "Promise", "What the promised threshold finds", promise(own))
    return replace(general, sections=[first, *general.sections], note=protocol(own["protocol"]))


def protocol(known: dict[str, Any]) -> str:
    """Say in words what the figures are of."""
    level = f"{known['level']:.0%}"
    kept = (
        f"at most {level} false alarms promised by {known['groups']} groups of good pictures"
        if known["kept"]
        else f"no promise of {level}: it needs {known['needed']} groups of good pictures that "
        f"nothing was learned from, there are {known['groups']}; the threshold is the one that "
        f"{level} of these pictures reach"
    )
    part = "settings were chosen by" if known["part"] == "choice" else "no choice has seen"
    return (
        f"Learned from {known['learned']} good pictures; {kept}. Figures are of pictures that "
        f"{part}: {known['pictures']}."
    )


def promise(own: dict[str, Any]) -> str:
    """Return the table of all rows, with a row for each that cannot be had."""
    table, kinds = own["table"], {}
    for row in table:
        kinds.update(row["kinds"])
    heads = ["Method", "image AUROC", "pixel AUROC", "AU-PRO", "false alarms", "found"]
    heads += [f"{kind} ({known['count']})" for kind, known in kinds.items()]
    heads += ["fit, CPU s", "fit, MB", "model, MB"]
    lines = "".join(_line(row, list(kinds)) for row in table)
    for name, reason in own["missing"].items():
        lines += f'<tr><th scope="row">{escape(name)}</th><td colspan="{len(heads) - 1}">'
        lines += f"cannot be had here: {escape(reason)}</td></tr>"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    text = (
        f"<p>{escape(protocol(own['protocol']))} In brackets the middle 95 % over draws of groups; "
        "of a kind of defect the share that is found and its image AUROC. Fit: processor time and "
        "the most memory that its process held, features of the coresets computed before. "
        "</p>"
    )
    return f"{text}<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _line(row: dict[str, Any], kinds: list[str]) -> str:
    cells = [_ranged(row["image_auroc"]), number(row["pixel_auroc"]), number(row["au_pro"])]
    cells += [_ranged(row["false_alarms"]), _ranged(row["found"])]
    for kind in kinds:
        known = row["kinds"][kind]
        cells.append(f"{number(known['found'], 2)} <small>{number(known['image_auroc'])}</small>")
    cells += [
        number(row["cpu_seconds"], 1),
        number(row["memory_mb"], 0),
        number(row["model_mb"], 2),
    ]
    note = f"<br><small>{escape(row['note'])}</small>" if row["note"] else ""
    body = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(row["name"])}{note}</th>{body}</tr>'


def _ranged(figure: dict[str, float | None]) -> str:
    low, high = number(figure["low"]), number(figure["high"])
    return f"{number(figure['value'])} <small>[{low}, {high}]</small>"
