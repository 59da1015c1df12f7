"""The page's beginning (what is real here, how much of it) and its end (costs, commands)."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from stainless.dataset import GOOD
from train.report.markup import escape, number, spoken
from train.report.results import Results, class_names

#: What "real" means in an experiment: the badge's class on the page, its text.
KINDS = {
    "rendered stand-in": (
        "standin",
        "“Real” is a rendered stand-in here: no photograph is in this experiment",
    ),
    "given as real": ("given", "“Real” is a data set that was given as real"),
}


def header_section(results: Results) -> str:
    """Return title, badge and counts."""
    real, synthetic = results["real"], results["synthetic"]
    look, badge = KINDS.get(real["kind"], ("given", f"“Real” is: {real['kind']}"))
    note = f" {escape(real['note'])}" if real.get("note") else ""
    labels = Counter(image["label"] == GOOD for image in results["images"])
    facts = {
        "Test pictures": f"{len(results['images'])}, {labels[True]} of them good",
        "“Real” pictures": f"{_count(real, 'train')} for training, "
        f"{_count(real, 'validation')} for validation, {_count(real, 'test')} for testing",
    }
    images = synthetic.get("images") or {}
    if images:
        counted = ", ".join(f"{value} {spoken(name)}" for name, value in images.items())
        facts["Synthetic pictures"] = counted
    facts["Methods"] = f"{len(results['methods'])}, repeats: {_repeats(results)}"
    instances: Counter[str] = Counter()
    for image in results["images"]:
        instances.update({name: count or 0 for name, count in image["contains"].items()})
    for kind, title in (("defect", "Defects"), ("impurity", "Impurities")):
        names = [name for name in class_names(results) if results["classes"][name] == kind]
        if names:
            facts[title] = ", ".join(f"{instances[name]} {spoken(name)}" for name in names)
    rows = "".join(f"<div><dt>{k}</dt><dd>{escape(v)}</dd></div>" for k, v in facts.items())
    return (
        f"<h1>{escape(results['title'])}</h1>"
        f'<p class="badge {look}"><b>{escape(badge)}.</b>{note}</p><dl class="facts">{rows}</dl>'
    )


def _count(real: dict[str, Any], part: str) -> str:
    return "–" if real.get(part) is None else str(real[part])


def _repeats(results: Results) -> str:
    counts = sorted({len(method["repeats"]) for method in results["methods"]})
    return " or ".join(map(str, counts))


def footer_sections(results: Results) -> str:
    """Return costs, machine, versions, configuration, seeds and the commands to reproduce it."""
    commands = "\n".join(str(command) for command in results["commands"])
    config = json.dumps(results["config"], indent=2, ensure_ascii=False)
    memory = results["peak_memory_mb"]
    versions = ", ".join(f"{name} {value}" for name, value in results["versions"].items())
    facts = {
        "Machine": results["machine"] or "–",
        "Peak memory": "–" if memory is None else f"{memory:,.0f} MB",
        "Versions": versions or "–",
        "Seeds": ", ".join(map(str, results["seeds"])) or "–",
        "“Real” data": f"{results['real']['root']}, category {results['real']['category']}",
        "Synthetic data": results["synthetic"].get("root") or "–",
    }
    rows = "".join(f"<div><dt>{k}</dt><dd>{escape(v)}</dd></div>" for k, v in facts.items())
    return (
        f'<section id="costs"><h2>What it took</h2>{_stages(results)}{_method_costs(results)}'
        f'</section><section id="setup"><h2>How to repeat it</h2><pre>{escape(commands)}</pre>'
        f'<dl class="facts">{rows}</dl><details><summary>Configuration</summary>'
        f"<pre>{escape(config)}</pre></details></section>"
    )


def _stages(results: Results) -> str:
    stages = [stage for stage in results["stages"] if stage.get("seconds") is not None]
    total = sum(stage["seconds"] for stage in stages)
    if not total:
        return "<p>The stages were not timed.</p>"
    rows = []
    for stage in stages:
        part = stage["seconds"] / total
        cpu = stage.get("cpu_seconds")
        rows.append(
            f'<tr><th scope="row">{escape(stage["name"])}</th><td class="share">'
            f'<span style="width: {100 * part:.2f}%"></span></td><td>{100 * part:.1f} %</td>'
            f"<td>{duration(stage['seconds'])}</td><td>{duration(cpu)}</td></tr>"
        )
    cpus = [stage["cpu_seconds"] for stage in stages if stage.get("cpu_seconds") is not None]
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
                str(repeat.get("seed", "–")),
                number(repeat.get("threshold")),
                duration(repeat.get("seconds")),
                duration(repeat.get("cpu_seconds")),
            ]
            rows.append(
                f'<tr><th scope="row">{escape(method["name"])}</th>'
                + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
                + "</tr>"
            )
    return (
        "<details><summary>Threshold and time of each method and repeat</summary>"
        '<div class="scroll"><table class="stages"><thead><tr><th scope="col">Method</th>'
        '<th scope="col">Seed</th><th scope="col">Threshold</th><th scope="col">Time</th>'
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
