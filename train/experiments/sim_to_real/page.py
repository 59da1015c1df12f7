"""The report: what is real here, the paper's tables by its names, and what a coreset remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from train.experiments.sim_to_real import detection
from train.experiments.sim_to_real.memory_map import memory_map
from train.report import sections
from train.report.markup import spoken
from train.report.reading import Reading
from train.report.results import MethodResults, Results, families, mean
from train.report.sections import Page, Section

#: What "real" means in an experiment: the class of the badge, and its text.
KINDS = {
    "rendered stand-in": (
        "standin",
        "“Real” is a rendered stand-in here: no photograph is in this experiment",
    ),
    "given as real": ("given", "“Real” is a data set that was given as real"),
}


def compose(results: Results, reading: Reading, folder: Path) -> Page:
    """Return the page.

    Raises:
        InputError: the model that the map is of is damaged, or a picture that it remembers or a
            diagram cannot be read.
    """
    real, synthetic = results["own"]["real"], results["own"]["synthetic"]
    return Page(
        [
            sections.findings(results),
            sections.classes(results, "Table I: recall of each class"),
            sections.methods(results, reading, "Table II: methods as a whole"),
            sections.pictures(results, reading, _best_baseline(results)),
            sections.cases(results, reading),
            sections.curves(results),
            *detection.section(results["own"].get("pod"), folder),
            sections.learning(results),
            Section(
                "memory",
                "Memory",
                "What a coreset remembers",
                memory_map(results["own"]["memory_map"], folder),
            ),
        ],
        KINDS.get(real["kind"], ("given", f"“Real” is: {real['kind']}")),
        real["note"],
        _counts(real, synthetic),
        {
            "“Real” data": f"{real['root']}, category {real['category']}",
            "Synthetic data": synthetic["root"],
        },
    )


def _counts(real: dict[str, Any], synthetic: dict[str, Any]) -> dict[str, str]:
    counts = {
        "“Real” pictures": f"{real['train']} for training, {real['validation']} for validation, "
        f"{real['test']} for testing"
    }
    if synthetic["images"]:
        counts["Synthetic pictures"] = ", ".join(
            f"{count} {spoken(name)}" for name, count in synthetic["images"].items()
        )
    return counts


def _best_baseline(results: Results) -> list[MethodResults]:
    """Return the baseline of the highest pixel F1 that is not among the shown methods."""
    baselines = families(results).get("baseline", [])
    rest = [method for method in baselines if method["name"] not in results["shown"]]
    return sorted(rest, key=lambda method: -(mean(method, "f1") or 0.0))[:1]
