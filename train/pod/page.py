"""What is written of a measurement: a page with its curves, and two tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stainless.own_files import OwnFiles
from train.pod.curves import chart
from train.pod.rows import ALL, CLEAN, Row
from train.pod.run import Measured
from train.pod.settings import ZONES, Settings
from train.report.markup import escape

STYLE = Path(__file__).parents[1] / "report" / "page" / "report.css"

PAGE, CURVES, TRIALS = "report.html", "pod.csv", "trials.csv"

COLUMNS = (
    "detector",
    "kind",
    "size",
    "level",
    "surroundings",
    "zone",
    "trials",
    "hits",
    "a50",
    "a90",
    "a90_95",
    "a90_95_wald",
    "a90_95_by_plate",
    "goodness",
    "false_calls",
    "places",
    "false_call_bound",
    "intercept",
    "slope",
    "reason",
)


def written_names(panels: int) -> list[str]:
    """Return the names of all files of a page with so many panels."""
    return [PAGE, CURVES, TRIALS, *map(panel_name, range(panels))]


def panel_name(number: int) -> str:
    """Return the name of a diagram's file."""
    return f"curves_{number}.svg"


def write(settings: Settings, measured: Measured, command: str) -> Path:
    """Write the page, its curves as files of their own, and the tables; return the page.

    Raises:
        InputError: a file of that name was not written by an earlier run, or changed since.
    """
    out = Path(settings.out)
    own = OwnFiles(out, "pod")
    drawn = panels(settings, measured.rows)
    own.require(written_names(len(drawn)))
    own.write_text(CURVES, curve_table(settings, measured.rows))
    own.write_text(TRIALS, _csv(_trials(settings, measured)))
    for number, svg in enumerate(drawn):
        own.write_text(panel_name(number), svg)
    own.write_text(PAGE, _page(settings, measured, drawn, command))
    own.clear(written_names(len(drawn)))
    return out / PAGE


def panels(settings: Settings, rows: Sequence[Row]) -> list[str]:
    """Return the diagrams: detectors side by side, then the zones of each, clean and impure."""
    found = []
    axis = f"{settings.kind}: {settings.size}"
    whole = [row for row in rows if row.zone == ALL and row.surroundings == CLEAN]
    if len(whole) > 1:
        lines = [(_joined(row.detector, row.level), k, row) for k, row in enumerate(whole)]
        found.append(chart("All zones, clean", axis, settings.limits, lines))
    for key in dict.fromkeys((row.detector, row.level, row.surroundings) for row in rows):
        members = [r for r in rows if (r.detector, r.level, r.surroundings) == key]
        lines = [(row.zone, (ALL, *ZONES).index(row.zone), row) for row in members]
        found.append(chart(_joined(*key), axis, settings.limits, lines))
    return found


def _joined(*names: str) -> str:
    return ", ".join(name for name in names if name)


def curve_table(settings: Settings, rows: Sequence[Row]) -> str:
    """Return the curves as CSV, at full precision."""
    return _csv([COLUMNS, *(_cells(settings, row) for row in rows)])


def _cells(settings: Settings, row: Row) -> list[Any]:
    numbers = {**row.numbers(), "kind": settings.kind, "size": settings.size}
    return [numbers.get(name) for name in COLUMNS]


def _trials(settings: Settings, measured: Measured) -> Iterable[Sequence[Any]]:
    yield [
        *("detector", "batch", "plate", "x_mm", "y_mm", "level", settings.size, "grey", "zone"),
        *("score", "score_without", "impure_score", "impure_score_without", "threshold"),
    ]
    for inspector, responses in zip(measured.inspectors, measured.responses, strict=True):
        for known in responses:
            trial, impure = known.trial, known.impure
            yield [
                *(
                    inspector.name,
                    known.batch,
                    trial.plate,
                    *trial.center_mm,
                    trial.level,
                    trial.size,
                ),
                *(known.grey, known.zone(settings.zones), known.clean.flawed, known.clean.bare),
                impure and impure.flawed,
                impure and impure.bare,
                inspector.threshold,
            ]


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


#: Headings of the table, and the numbers below them.
HEADINGS = {
    "detector": "Detector",
    "level": "Level",
    "surroundings": "Surroundings",
    "zone": "Light",
    "trials": "Flaws",
    "hits": "Found",
    "a50": "a50",
    "a90": "a90",
    "a90_95": "a90/95",
    "a90_95_wald": "Wald",
    "a90_95_by_plate": "by plate",
    "goodness": "Goodness",
    "false_calls": "False calls",
}


#: Marks a size that is larger than any flaw that was placed.
BEYOND = "*"

#: Sizes that are so many times larger are not told in numbers.
FAR = 10


def text_cells(numbers: Mapping[str, Any]) -> list[str]:
    """Return what a table shows of `Row.numbers`, in the order of `HEADINGS`."""
    cells = [_shown(numbers.get(name)) for name in HEADINGS]
    for place, name in enumerate(HEADINGS):
        value = numbers.get(name)
        if name.startswith("a") and value is not None and value > numbers["largest"]:
            far = FAR * numbers["largest"]
            cells[place] = f"{'>' if value > far else ''}{min(value, far):.3g}{BEYOND}"
    bound = numbers["false_call_bound"]
    cells[-1] = f"{numbers['false_calls']} of {numbers['places']} (≤ {100 * bound:.1f} %)"
    return cells


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return `Row.numbers` as HTML; a row without a curve says why."""
    shown = [name for name in HEADINGS if name != "level" or any(row["level"] for row in rows)]
    head = "".join(f'<th scope="col">{HEADINGS[name]}</th>' for name in shown)
    lines = []
    for row in rows:
        cells = dict(zip(HEADINGS, text_cells(row), strict=True))
        data = "".join(f"<td>{escape(cells[name])}</td>" for name in shown[1:])
        lines.append(f'<tr><th scope="row">{escape(row["detector"])}</th>{data}</tr>')
        if row["reason"]:
            reason = escape(row["reason"])
            lines.append(f'<tr><td colspan="{len(shown)}" class="reason">{reason}</td></tr>')
    return (
        f'<div class="scroll"><table class="stages"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def explanation(settings: Settings) -> str:
    """Return what the table and the diagrams mean, as HTML."""
    return (
        f"<p>Size is the {escape(settings.size)} of a {escape(settings.kind)}. A flaw is found "
        f"where a pixel is flagged on it or within {settings.reach_px} pixels, and none is at the "
        "same place of the twin without it; places that are flagged without a flaw are false calls "
        "and count for no curve. a50 and a90 are found with a probability of 50 and 90 %; a90/95 "
        "is the size below which a90 lies with 95 % confidence (likelihood ratio), beside it what "
        "the normal approximation gives, and the same where the flaws of a plate may resemble one "
        "another. A size with * is larger than any flaw that counted. Goodness is the probability "
        "of a deviation as large as that of these hits and misses, were the curve true. Light: "
        f"dark field below a grey level of {settings.zones.transition:g}, bright field from "
        f"{settings.zones.bright:g}, over-exposed from {settings.zones.overexposed:g} of 255, "
        "transition between. In the diagrams a stroke above is a hit, one below a miss; the "
        "filled dot is a90, the open one a90/95. Model: MIL-HDBK-1823A, hit/miss, logistic in the "
        "logarithm of size.</p>"
    )


def summary(settings: Settings, measured: Measured) -> str:
    """Return how much was rendered and whether it was enough, in a line."""
    reached = "reached" if measured.precise else "not reached in every row"
    flaws = len(measured.responses[0]) if measured.responses else 0
    return (
        f"{flaws} flaws on {measured.plates} plates, {2 * measured.plates} renders in "
        f"{measured.batches} batches; a90/95 within {100 * settings.precision:g} % of a90: "
        f"{reached}"
    )


def figures(drawn: Sequence[str]) -> str:
    """Return diagrams as HTML, side by side."""
    return "".join(f"<figure class='pod'>{svg}</figure>" for svg in drawn)


def _page(settings: Settings, measured: Measured, drawn: Sequence[str], command: str) -> str:
    rows = [row.numbers() for row in measured.rows]
    thresholds = "; ".join(f"{j.name} {j.threshold:.6g}" for j in measured.inspectors)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(settings.title)}</title><style>{STYLE.read_text(encoding='utf-8')}"
        f"</style></head><body><header><h1>{escape(settings.title)}</h1></header><main>"
        f"<section><p>{escape(summary(settings, measured))}.</p>{table(rows)}"
        f"{explanation(settings)}</section><section><h2>Curves</h2>{figures(drawn)}</section>"
        f"<section><h2>How to repeat it</h2><pre>{escape(command)}</pre>"
        f"<p>Thresholds of pixels: {escape(thresholds)}.</p></section></main></body></html>\n"
    )
