"""The sections that any experiment's page can be made of, and what a page consists of.

An experiment puts together a `Page` from these and its own; `general` is what it has for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from train.report.cases import case_figures
from train.report.charts import curve_panels, learning_panels
from train.report.findings import finding_list
from train.report.grid import picture_grid
from train.report.markup import escape
from train.report.reading import Reading
from train.report.results import MethodResults, Results
from train.report.tables import class_table, method_table


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        key: its address in the page.
        link: what the navigation calls it.
        title: its heading.
        body: HTML below the heading.
    """

    key: str
    link: str
    title: str
    body: str


@dataclass(frozen=True)
class Page:
    """What an experiment's page shows beside title, costs and commands, which all have.

    Attributes:
        sections: in their order.
        badge: class of the badge below the title ("standin", "given") and its text; None for none.
        note: stands after the badge's text.
        counts: what there is, by name, at the beginning.
        data: where it is from, by name, at the end.
    """

    sections: Sequence[Section]
    badge: tuple[str, str] | None = None
    note: str = ""
    counts: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)


def general(results: Results, reading: Reading) -> Page:
    """Return a page of all sections below."""
    return Page(
        [
            findings(results),
            classes(results),
            methods(results, reading),
            pictures(results, reading),
            cases(results, reading),
            curves(results),
            learning(results),
        ]
    )


#: Says what can be done with a table on a screen.
SCREEN = '<span class="screen">Click a number for the pictures behind it, a heading to sort.</span>'


def findings(results: Results) -> Section:
    """Return the claims with their verdicts."""
    return Section("findings", "What came out", "What came out", finding_list(results))


def classes(results: Results, title: str = "Recall of each class") -> Section:
    """Return the table of classes."""
    text = (
        "<p>Share of the pixels of a class that are flagged (<i>pixel R</i>), and the share of its "
        "instances that are found, averaged over twelve shares of their pixels that must be "
        'flagged for that (<i>mR<sub>DW</sub></i>). <span class="wash">Impurities are no defects: '
        "for them a low number is good</span>, read together with the defects. The best of each "
        f"column is set in bold. {SCREEN}</p>"
    )
    return Section("by-class", "Classes", title, text + class_table(results))


def methods(results: Results, reading: Reading, title: str = "Methods as a whole") -> Section:
    """Return the table of methods."""
    text = (
        "<p>Precision, recall and F1 of pixels at the method's threshold of pixels; "
        "mR<sub>DW</sub> over all defects; F1-max at the best threshold of the test pictures; "
        "false alarms are good pictures at or above the method's threshold of whole pictures, "
        f"those by pixel the ones on which any pixel is flagged. {SCREEN}</p>"
    )
    note = (
        '<p class="quiet">Numbers with ± are mean and standard deviation over repeats; pictures '
        f"are of the first repeat. {escape(reading.selection)}</p>"
    )
    return Section("by-method", "Methods", title, text + method_table(results) + note)


def pictures(results: Results, reading: Reading, more: Sequence[MethodResults] = ()) -> Section:
    """Return a few test pictures beside what the shown methods, and some more, find."""
    text = (
        '<p class="quiet">For each class (of many, the first eight) the test picture with most '
        "instances of it, and a good one.</p>"
    )
    grid = picture_grid(results, reading, more)
    return Section("pictures", "Pictures", "Test pictures and what the methods find", text + grid)


def cases(results: Results, reading: Reading) -> Section:
    """Return the worst cases of the shown methods."""
    return Section("cases", "Worst cases", "Worst cases", case_figures(results, reading))


def curves(results: Results) -> Section:
    """Return the recall at each coverage threshold."""
    title = "Recall by how much of a defect must be found"
    return Section("curves", "Curves", title, curve_panels(results))


def learning(results: Results) -> Section:
    """Return what happened pass by pass."""
    text = (
        '<p class="quiet">First repeat. Where a line breaks, the model of one method ends and '
        "another method continues it.</p>"
    )
    return Section(
        "learning", "Learning", "How the methods learned", text + learning_panels(results)
    )
