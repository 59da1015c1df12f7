"""What came out: each claim with its verdict, its numbers and their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from train.report.markup import escape, number
from train.report.results import Results

#: Verdict: its class on the page, and a sign for those who see no colour.
VERDICTS = {
    "holds": ("holds", "✓"),
    "does not hold": ("fails", "✗"),
    "within noise": ("noise", "≈"),
}

#: Width and height of the drawn interval, and what is left free at its ends.
WIDTH, HEIGHT, FREE = 200, 22, 8


def findings_section(results: Results) -> str:
    """Return the list of findings."""
    if not results["findings"]:
        return "<p>This experiment compares nothing.</p>"
    return "".join(_finding(finding) for finding in results["findings"])


def chip(verdict: Any) -> str:
    """Return a verdict as a small label."""
    name, sign = VERDICTS.get(str(verdict), ("noise", "·"))
    return f'<span class="verdict {name}"><i aria-hidden="true">{sign}</i> {escape(verdict)}</span>'


def _finding(finding: Mapping[str, Any]) -> str:
    rows = "".join(_comparison(one, finding["comparisons"]) for one in finding["comparisons"])
    table = ""
    if rows:
        table = (
            '<div class="scroll"><table class="compared"><thead><tr><th scope="col">What</th>'
            '<th scope="col">From</th><th scope="col">To</th><th scope="col">Difference</th>'
            '<th scope="col">Interval</th><th scope="col"></th><th scope="col">Verdict</th></tr>'
            f"</thead><tbody>{rows}</tbody></table></div>"
        )
    return (
        f'<article class="finding"><h3>{escape(finding["claim"])} {chip(finding["verdict"])}</h3>'
        f"{table}<p>{escape(finding['reason'])}</p></article>"
    )


def _comparison(one: Mapping[str, Any], all_of_them: list[Mapping[str, Any]]) -> str:
    values = (one.get(key) for key in ("difference", "low", "high"))
    difference, low, high = values
    interval = f"{_signed(low)} … {_signed(high)}" if None not in (low, high) else "–"
    spread = one.get("spread")
    around = f" <small>±{number(spread)} over repeats</small>" if spread is not None else ""
    ends = [
        f'<td><span class="who">{escape(one.get(key, ""))}</span> '
        f"<b>{number(one.get(f'{key}_value'))}</b></td>"
        for key in ("first", "second")
    ]
    return (
        f"<tr><td>{escape(one.get('what', ''))}</td>{''.join(ends)}"
        f"<td><b>{_signed(difference)}</b>{around}</td><td>{interval}</td>"
        f"<td>{_drawn(difference, low, high, _reach(all_of_them))}</td>"
        f"<td>{chip(one['verdict']) if one.get('verdict') else ''}</td></tr>"
    )


def _signed(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:+{'d' if isinstance(value, int) else '.3f'}}".replace("-", "−")


def _reach(comparisons: list[Mapping[str, Any]]) -> float:
    """Return how far from zero the intervals of a finding reach, so that all share a scale."""
    ends = [
        abs(one.get(key) or 0.0) for one in comparisons for key in ("difference", "low", "high")
    ]
    return max([*ends, 1e-9])


def _drawn(difference: float | None, low: float | None, high: float | None, reach: float) -> str:
    """Return an interval about a difference with the line at zero, as SVG."""
    if difference is None:
        return ""

    def across(value: float) -> float:
        return round(WIDTH / 2 + value / reach * (WIDTH / 2 - FREE), 1)

    middle, zero = HEIGHT / 2, across(0.0)
    bar = ""
    if low is not None and high is not None:
        bar = f'<path class="bar" d="M{across(low)} {middle}H{across(high)}"/>'
    return (
        f'<svg class="interval" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'aria-hidden="true"><path class="zero" d="M{zero} 1V{HEIGHT - 1}"/>{bar}'
        f'<circle cx="{across(difference)}" cy="{middle}" r="4"/></svg>'
    )
