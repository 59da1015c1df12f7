"""What the survey says of kinds of anomalies, of black backgrounds and of ensembles.

Every difference comes with its paired bootstrap interval over groups of pictures; the group of a
rendered connector is the one part that its pictures show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stainless.dataset import GOOD
from train.experiments.comparison import HOLDS, verdict_on
from train.experiments.experiment import Finished, MethodEntry
from train.metrics import FIGURES, paired_bootstrap
from train.metrics.images import image_auroc
from train.metrics.metric import Resampled, Row
from train.report.markup import spoken
from train.report.results import Comparison, Finding

STRUCTURAL, LOGICAL, MEAN = (
    "structural_image_auroc",
    "logical_image_auroc",
    "kinds_image_auroc",
)

#: Sections of an evaluation that are groups of its pictures, and how tables call them.
SECTIONS = {
    "structural": "structural",
    "logical": "logical",
    "kinds": "mean of both",
    "every": "all together",
}


class Rows:
    """The figures of single pictures, of the first repeat of each method.

    Args:
        finished: what is there.
        seed: of the bootstrap.
        rounds: its draws.
    """

    def __init__(self, finished: Finished, seed: int, rounds: int) -> None:
        self.finished, self._seed, self._rounds = finished, seed, rounds
        self._defects = {name for name, kind in finished.classes.items() if kind == "defect"}
        first = next(iter(finished.figures.values()))[0]["per_image"]
        self.flaws = sorted({flaw for row in first for flaw in self.flaws_of(row)})
        self.has_kinds = {row["label"] for row in first} >= {
            "structural_anomalies",
            "logical_anomalies",
        }

    def of(self, name: str) -> list[Row]:
        """Return the rows of a method, sorted by picture."""
        rows: list[Row] = self.finished.figures[name][0]["per_image"]
        return sorted(rows, key=lambda row: row["name"])

    def flaws_of(self, row: Row) -> set[str]:
        """Return the names of the flaws that a picture shows."""
        if row["label"] == GOOD:
            return set()
        return (set(row.get("classes") or ()) & self._defects) or {row["label"]}

    def flaw_auroc(self, rows: Sequence[Row], flaw: str) -> Resampled:
        """Return how the image AUROC of one flaw, with all good pictures, is computed."""
        scores = np.array([row["score"] for row in rows], float)
        own = np.array([flaw in self.flaws_of(row) for row in rows])
        meant = own | np.array([row["label"] == GOOD for row in rows])

        def auroc(drawn: np.ndarray) -> float:
            kept = drawn[meant[drawn]]
            return image_auroc(scores[kept], own[kept])

        return auroc

    def difference(self, figure: str, first: str, second: str) -> Comparison | None:
        """Return the comparison of a figure of two methods, the second claimed to be higher."""
        made = self.finished.comparisons.difference(figure, first, second, 1)
        return None if made is None else {**made, "what": FIGURES[figure].title}

    def compared(
        self,
        what: str,
        names: tuple[str, str],
        figures: tuple[Resampled, Resampled],
        rows: Sequence[Row],
        sign: int,
    ) -> Comparison:
        """Return the comparison of two figures of the same pictures, second minus first."""
        groups = [row["group"] for row in rows]
        interval = paired_bootstrap(*figures, groups, self._seed, self._rounds)
        every = np.arange(len(rows))
        return {
            "what": what,
            "first": names[0],
            "second": names[1],
            "first_value": figures[0](every),
            "second_value": figures[1](every),
            "difference": interval.difference,
            "low": interval.low,
            "high": interval.high,
            "spread": None,
            "verdict": verdict_on(interval, None, sign),
        }


def kinds(rows: Rows, methods: Sequence[MethodEntry]) -> list[Finding]:
    """Return whether logical anomalies are harder to tell than structural ones, by method."""
    if not rows.has_kinds:
        return []
    structural, logical = FIGURES[STRUCTURAL].resample, FIGURES[LOGICAL].resample
    assert structural is not None and logical is not None
    made = [
        rows.compared(
            f"image AUROC, {entry.name}",
            ("structural", "logical"),
            (structural(table), logical(table)),
            table,
            -1,
        )
        for entry in methods
        for table in [rows.of(entry.name)]
    ]
    return [
        rows.finished.comparisons.finding(
            "Logical anomalies are harder to tell from good pictures than structural ones", made
        )
    ]


def background(rows: Rows, methods: Sequence[MethodEntry], ending: str) -> list[Finding]:
    """Return whether a black background makes methods better."""
    figures = (MEAN, "spro") if rows.has_kinds else ("image_auroc", "mean_defect_recall")
    made = [
        rows.difference(figure, entry.name.removesuffix(ending), entry.name)
        for entry in methods
        if entry.variant is not None
        for figure in figures
    ]
    if not made:
        return []
    claim = "A black background makes a method better"
    return [rows.finished.comparisons.finding(claim, made)]


def ensembles(rows: Rows, methods: Sequence[MethodEntry]) -> list[Finding]:
    """Return whether each ensemble is better than its members, and than others of the same ones."""
    found = []
    for number, entry in enumerate(methods):
        others = [other.name for other in methods[number + 1 :] if other.members == entry.members]
        for member in entry.members:
            found += _better(rows, entry.name, member, f"its member {member}")
        for other in others if entry.members else []:
            found += _better(rows, entry.name, other, f"{other} of the same members")
    return found


def _better(rows: Rows, name: str, rival: str, called: str) -> list[Finding]:
    """Return whether an ensemble is better than another method: by kind, then flaw by flaw."""
    figures = (STRUCTURAL, LOGICAL, MEAN, "spro") if rows.has_kinds else ("image_auroc",)
    finding = rows.finished.comparisons.finding
    claim = f"{name} is better than {called}"
    flaws = []
    for flaw in rows.flaws:
        tables = [rows.of(method) for method in (rival, name)]
        first, second = (rows.flaw_auroc(table, flaw) for table in tables)
        what = f"image AUROC, {spoken(flaw)}"
        flaws.append(rows.compared(what, (rival, name), (first, second), tables[0], 1))
    won = sum(comparison["verdict"] == HOLDS for comparison in flaws)
    by_flaw = finding(f"{claim} flaw by flaw", flaws)
    text = f"Better beyond doubt in {won} of {len(flaws)} flaws."
    return [
        finding(claim, [rows.difference(figure, rival, name) for figure in figures]),
        {**by_flaw, "reason": f"{text} {by_flaw['reason']}".strip()},
    ]


def figures(finished: Finished) -> dict[str, dict[str, dict[str, Any]]]:
    """Return, by method, the figures of each group of pictures: of each kind, and of each flaw.

    Of a dataset without kinds, the image AUROC of each label.
    """
    rows = Rows(finished, 0, 1)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, repeats in finished.figures.items():
        first = repeats[0]
        groups = {title: first[key] for key, title in SECTIONS.items() if key in first}
        if "flaws" in first:
            found[name] = {**groups, **first["flaws"]}
            continue
        table = rows.of(name)
        every = np.arange(len(table))
        whole = {"all together": {"image_auroc": first["images"]["auroc"]}}
        whole["all together"]["pixel_auroc"] = first["pixels"]["auroc"]
        found[name] = {
            **whole,
            **{flaw: {"image_auroc": rows.flaw_auroc(table, flaw)(every)} for flaw in rows.flaws},
        }
    return found
