"""The page's beginning (what there is, and how much of it) and its end (costs, commands)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from stainless.dataset import GOOD
from train.report.markup import escape, number, spoken
from train.report.results import Results, class_names
from train.report.sections import Page


def header_section(results: Results, page: Page) -> str:
    """Return title, badge and counts."""
    badge = ""
    if page.badge is not None:
        kind, text = page.badge
        note = f" {escape(page.note)}" if page.note else ""
        badge = f'<p class="badge {escape(kind)}"><b>{escape(text)}.</b>{note}</p>'
    labels = Counter(image["label"] == GOOD for image in results["images"])
    counts = {
        "Test pictures": f"{len(results['images'])}, {labels[True]} of them good",
        **page.counts,
        "Methods": f"{len(results['methods'])}, repeats: {_repeats(results)}",
    }
    instances: Counter[str] = Counter()
    for image in results["images"]:
        instances.update(image["contains"])
    for kind, title in (("defect", "Defects"), ("impurity", "Impurities")):
        names = [name for name in class_names(results) if results["classes"][name] == kind]
        if names:
            counts[title] = ", ".join(f"{instances[name]} {spoken(name)}" for name in names)
    return f"<h1>{escape(results['title'])}</h1>{badge}{_listed(counts)}"


def _listed(entries: Mapping[str, str]) -> str:
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>"
        for name, text in entries.items()
    )
    return f'<dl class="listed">{rows}</dl>'


def _repeats(results: Results) -> str:
    counts = sorted({len(method["repeats"]) for method in results["methods"]})
    return " or ".join(map(str, counts))


def footer_sections(results: Results, page: Page) -> str:
    """Return costs, machine, versions, configuration, seeds and the commands to reproduce it."""
    commands = "\n".join(str(command) for command in results["commands"])
    config = json.dumps(results["config"], indent=2, ensure_ascii=False)
    memory = results["peak_memory_mb"]
    versions = ", ".join(f"{name} {value}" for name, value in results["versions"].items())
    entries = {
        "Machine": results["machine"] or "–",
        "Peak memory": "–" if memory is None else f"{memory:,.0f} MB",
        "Versions": versions or "–",
        "Seeds": ", ".join(map(str, results["seeds"])) or "–",
        **page.data,
    }
    return (
        f'<section id="costs"><h2>What it took</h2>{_stages(results)}{_method_costs(results)}'
        f'</section><section id="setup"><h2>How to repeat it</h2><pre>{escape(commands)}</pre>'
        f"{_listed(entries)}<details><summary>Configuration</summary>"
        f"<pre>{escape(config)}</pre></details></section>"
    )


def _stages(results: Results) -> str:
    timed = [(stage["seconds"], stage) for stage in results["stages"]]
    stages = [(seconds, stage) for seconds, stage in timed if seconds is not None]
    total = sum(seconds for seconds, _ in stages)
    if not total:
        return "<p>The stages were not timed.</p>"
    rows = []
    for seconds, stage in stages:
        share = seconds / total
        rows.append(
            f'<tr><th scope="row">{escape(stage["name"])}</th><td class="share">'
            f'<span style="width: {100 * share:.2f}%"></span></td><td>{100 * share:.1f} %</td>'
            f"<td>{duration(seconds)}</td><td>{duration(stage['cpu_seconds'])}</td></tr>"
        )
    cpus = [cpu for _, stage in stages if (cpu := stage["cpu_seconds"]) is not None]
    rows.append(
        f'<tr class="total"><th scope="row">all stages</th><td></td><td></td>'
        f"<td>{duration(total)}</td><td>{duration(sum(cpus) if cpus else None)}</td></tr>"
    )
    return (
        '<div class="scroll"><table class="stages"><thead><tr><th scope="col">Stage</th>'
        '<th scope="col">Share of the time</th><td></td><th scope="col">Time</th>'
        f'<th scope="col">CPU</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _method_costs(results: Results) -> str:
    rows = []
    for method in results["methods"]:
        for repeat in method["repeats"]:
            cells = [
                str(repeat["seed"]),
                number(repeat["threshold"]),
                number(repeat["picture_threshold"]),
                duration(repeat["seconds"]),
                duration(repeat["cpu_seconds"]),
            ]
            rows.append(
                f'<tr><th scope="row">{escape(method["name"])}</th>'
                + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
                + "</tr>"
            )
    return (
        "<details><summary>Thresholds and time of each method and repeat</summary>"
        '<div class="scroll"><table class="stages"><thead><tr><th scope="col">Method</th>'
        '<th scope="col">Seed</th><th scope="col">Threshold of pixels</th>'
        '<th scope="col">Threshold of pictures</th><th scope="col">Time</th>'
        f'<th scope="col">CPU</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        "</details>"
    )


def duration(seconds: float | None) -> str:
    """Return a time as people say it."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
