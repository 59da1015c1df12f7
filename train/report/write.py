"""From the folder of an experiment to its page and its CSV tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

from stainless.own_files import OwnFiles
from train.report.csv_tables import TABLES, csv_tables
from train.report.evidence import evidence
from train.report.header import footer_sections, header_section
from train.report.markup import escape
from train.report.reading import Reading
from train.report.results import RESULTS, Results, read_results
from train.report.sections import Page, Section

PAGE = Path(__file__).parent / "page"
PAGE_NAME = "report.html"
SCRIPTS = ("table.js", "panel.js")


#: Puts together the page of an experiment from its results, its pictures and its folder.
Compose = Callable[[Results, Reading, Path], Page]

#: What stands at the end of every page.
LAST = {"costs": "Costs", "setup": "Repeat it"}


def write_report(folder: Path, compose: Compose) -> Path:
    """Write `<folder>/report.html` and `<folder>/tables/*.csv`; the same input, the same bytes.

    Args:
        folder: of a finished experiment, with results.json. Paths of dataset pictures in it are
            relative to the current folder, those of predictions and models to `folder`.
        compose: gives the sections.

    Returns:
        The page, which needs no other file.

    Raises:
        InputError: results.json is missing or not what an experiment writes, a picture, a mask or a
            prediction that it names cannot be read, or a file of the report was changed since.
        OSError: the folder cannot be written.
    """
    results = read_results(folder)
    own = check_report(folder)
    reading = Reading(results, folder)
    page = compose(results, reading, folder)
    data = {"pictures": reading.embedded(), **evidence(results, reading.chosen)}
    links = {**{section.key: section.link for section in page.sections}, **LAST}
    text = Template((PAGE / "report.html").read_text(encoding="utf-8")).substitute(
        title=escape(results["title"]),
        style=(PAGE / "report.css").read_text(encoding="utf-8"),
        header=header_section(results, page),
        links="\n".join(f'  <a href="#{key}">{escape(link)}</a>' for key, link in links.items()),
        sections="\n".join(_element(section) for section in page.sections),
        footer=footer_sections(results, page),
        data=embedded_json(data),
        script="\n".join((PAGE / name).read_text(encoding="utf-8") for name in SCRIPTS),
    )
    for name, table in csv_tables(results).items():
        own.write_text(f"tables/{name}", table)
    own.write_text(PAGE_NAME, text)
    return folder / PAGE_NAME


def check_report(folder: Path) -> OwnFiles:
    """Return the files of a report in the folder of an experiment, all of them still its own.

    Raises:
        InputError: one was changed since it was written.
    """
    names = [PAGE_NAME, *(f"tables/{name}" for name in TABLES)]
    own = OwnFiles(folder, "report")
    if (folder / RESULTS).is_file():
        own.adopt(names)
    own.require(names)
    return own


def _element(section: Section) -> str:
    return (
        f'<section id="{escape(section.key)}"><h2>{escape(section.title)}</h2>'
        f"{section.body}</section>"
    )


def embedded_json(value: Any) -> str:
    """Return JSON that no text in it can end the script element around."""
    packed = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return packed.replace("<", "\\u003c")
