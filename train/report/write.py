"""From the folder of an experiment to its page and its CSV tables."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

from stainless.files import write_text
from train.report.cases import case_section
from train.report.charts import curve_section, learning_section
from train.report.csv_tables import csv_tables
from train.report.evidence import evidence
from train.report.findings import findings_section
from train.report.grid import grid_section
from train.report.header import footer_sections, header_section
from train.report.markup import escape
from train.report.memory_map import memory_section
from train.report.reading import Reading
from train.report.results import read_results
from train.report.tables import class_table, summary_table

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("table.js", "panel.js")


def write_report(folder: Path) -> Path:
    """Write `<folder>/report.html` and `<folder>/tables/*.csv`; the same input, the same bytes.

    Args:
        folder: of a finished experiment, with results.json. Paths of dataset pictures in it are
            relative to the current folder, those of predictions and models to `folder`.

    Returns:
        The page, which needs no other file.

    Raises:
        InputError: results.json is missing or not what an experiment writes, or a picture, a mask
            or a prediction that it names cannot be read.
        OSError: the folder cannot be written.
    """
    results = read_results(folder)
    reading = Reading(results, folder)
    data = {"pictures": reading.embedded(), **evidence(results, reading.chosen)}
    text = Template((PAGE / "report.html").read_text(encoding="utf-8")).substitute(
        title=escape(results["title"]),
        style=(PAGE / "report.css").read_text(encoding="utf-8"),
        header=header_section(results),
        findings=findings_section(results),
        classes=class_table(results),
        summary=summary_table(results),
        embedded=escape(reading.said),
        grid=grid_section(results, reading),
        cases=case_section(results, reading),
        curves=curve_section(results),
        learning=learning_section(results),
        memory=memory_section(results, folder),
        footer=footer_sections(results),
        data=embedded_json(data),
        script="\n".join((PAGE / name).read_text(encoding="utf-8") for name in SCRIPTS),
    )
    for name, table in csv_tables(results).items():
        write_text(folder / "tables" / name, table)
    write_text(folder / "report.html", text)
    return folder / "report.html"


def embedded_json(value: Any) -> str:
    """Return JSON that no text in it can end the script element around."""
    packed = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return packed.replace("<", "\\u003c")
