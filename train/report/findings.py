"""What came out: each claim with its verdict, its numbers and their intervals."""

from __future__ import annotations

from train.report.markup import escape, number
from train.report.results import Comparison, Finding, Results

#: Verdict: its class on the page, and a sign for those who see no colour.
VERDICTS = {
    "holds": ("holds", "✓"),
    "does not hold": ("fails", "✗"),
    "within noise": ("noise", "≈"),
}

#: Width and height of the drawn interval, and what is left free at its ends.
WIDTH, HEIGHT, FREE = 200, 22, 8


def finding_list(results: Results) -> str:
    """Return the list of findings."""
    if not results["findings"]:
        return "<p>This experiment compares nothing.</p>"
    return "".join(_finding(finding) for finding in results["findings"])


def chip(verdict: str) -> str:
    """Return a verdict as a small label."""
    name, sign = VERDICTS.get(verdict, ("noise", "·"))
    return f'<span class="verdict {name}"><i aria-hidden="true">{sign}</i> {escape(verdict)}</span>'


def _finding(finding: Finding) -> str:
    rows = "".join(_comparison(known, finding["comparisons"]) for known in finding["comparisons"])
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


def _comparison(comparison: Comparison, together: list[Comparison]) -> str:
    difference, low, high = (comparison["difference"], comparison["low"], comparison["high"])
    interval = "–" if None in (low, high) else f"{_signed(low)} … {_signed(high)}"
    spread = comparison["spread"]
    around = f" <small>±{number(spread)} over repeats</small>" if spread is not None else ""
    ends = [
        f'<td><span class="who">{escape(name)}</span> <b>{number(value)}</b></td>'
        for name, value in (
            (comparison["first"], comparison["first_value"]),
            (comparison["second"], comparison["second_value"]),
        )
    ]
    return (
        f"<tr><td>{escape(comparison['what'])}</td>{''.join(ends)}"
        f"<td><b>{_signed(difference)}</b>{around}</td><td>{interval}</td>"
        f"<td>{_drawn(difference, low, high, _reach(together))}</td>"
        f"<td>{chip(comparison['verdict'])}</td></tr>"
    )


def _signed(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:+{'d' if isinstance(value, int) else '.3f'}}".replace("-", "−")


def _reach(comparisons: list[Comparison]) -> float:
    """Return how far from zero the intervals of a finding reach, so that all share a scale."""
    ends = [
        abs(value or 0.0)
        for comparison in comparisons
        for value in (comparison["difference"], comparison["low"], comparison["high"])
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
