"""The paper's findings as checks: each with numbers, intervals and a verdict.

Source: Mao et al., arXiv 2501.09579, section V. A difference counts only if its paired bootstrap
interval over parts leaves zero out and it is larger than its spread over repeats. What a finding
says of a figure holds if at least half of its comparisons hold, and more of them than contradict
it; a finding holds if all that it says does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from train.metrics import CLASS_FIGURES, Interval, compare, compare_class

HOLDS, FAILS, NOISE, UNTESTED = "holds", "does not hold", "within noise", "not testable"

#: A share of good pictures with a false alarm that stands for all of them.
ALL = 0.98

#: Said where there are fewer.
TOO_FEW = (
    "All defects that are judged are of one part: no interval can be drawn, and nothing is decided."
)

#: Defective parts without which a bootstrap over parts draws the same ones every time.
LEAST_PARTS = 2

ENDINGS = ("", " DA", " DR", " DR+DA")

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Judged:
    """One method: its rows per image, and its figures of every repeat.

    Attributes:
        name: of the method.
        rows: "per_image" of `evaluate`, of all repeats one after the other.
        summaries: of each repeat: figure by name; classes as "<class> pixel_recall".
        seconds: mean time of making it.
    """

    name: str
    rows: Rows
    summaries: Sequence[Mapping[str, float | None]]
    seconds: float


class Checks:
    """Compares methods and collects findings.

    Args:
        methods: by name.
        stain: class of the impurity that is followed; None if the pictures show none.
        seed: of the bootstrap.
        rounds: its draws.
        reason: says what may be behind a finding that does not hold, by the key of the finding.
    """

    def __init__(
        self,
        methods: Mapping[str, Judged],
        stain: str | None,
        seed: int,
        rounds: int,
        reason: Callable[[str], str],
    ) -> None:
        self._methods = methods
        self._stain = stain
        self._seed = seed
        self._rounds = rounds
        self._reason = reason
        parts = {row["group"] for one in methods.values() for row in one.rows if row["defects"]}
        self._enough = len(parts) >= LEAST_PARTS

    def all(self) -> list[dict[str, Any]]:
        """Return every finding, as the report wants them."""
        pairs = [(f"Synth{end}", f"Synth_WS{end}") for end in ENDINGS]
        tuned = [f"{kind}{end} finetuned" for kind in ("Synth", "Synth_WS") for end in ENDINGS]
        melds = [
            (f"{kind} DR+DA finetuned", meld)
            for kind, meld in (("Synth", "Melding"), ("Synth_WS", "Melding_WS"))
        ]
        stain = f"{self._stain} pixel_recall"
        return [
            self._finding(
                "stains",
                "Training with stains lowers water-stain detection",
                [self._difference(stain, one, two, -1) for one, two in pairs]
                if self._stain is not None
                else [],
            ),
            self._finding(
                "defects",
                "Training with stains also lowers defect recall before finetuning",
                [self._difference("mean_defect_recall", one, two, -1) for one, two in pairs],
            ),
            self._finding(
                "finetuning",
                "Finetuning raises precision and F1 above real-only",
                [
                    self._difference(figure, "Real", two, 1)
                    for figure in ("precision", "f1")
                    for two in tuned
                ],
            ),
            self._finding(
                "melding",
                "Melding trades recall for precision at less time than finetuning",
                [
                    comparison
                    for one, two in melds
                    for comparison in (
                        self._difference("precision", one, two, 1),
                        self._difference("mean_defect_recall", one, two, -1),
                        self._time(one, two),
                    )
                ],
            ),
            self._finding(
                "augmentation",
                "Augmentation helps synthetic-only training more than randomised light does",
                [
                    self._difference(figure, f"{kind} DR", f"{kind} DA", 1)
                    for figure in ("f1", "mean_defect_recall")
                    for kind in ("Synth", "Synth_WS")
                ],
            ),
            self._tells_more(),
        ]

    def _finding(
        self, key: str, claim: str, comparisons: Sequence[dict[str, Any] | None]
    ) -> dict[str, Any]:
        found = [one for one in comparisons if one is not None]
        verdict = verdict_of([(one["what"], one["verdict"]) for one in found])
        if verdict == UNTESTED:
            reason = "the experiment lacks the methods or the class that it is about"
        elif not self._enough:
            reason = TOO_FEW
        else:
            reasons = [] if verdict == HOLDS else [self._saturated(found), self._reason(key)]
            reason = " ".join(filter(None, reasons))
        return {"claim": claim, "verdict": verdict, "comparisons": found, "reason": reason}

    def _saturated(self, comparisons: Sequence[Mapping[str, Any]]) -> str:
        """Name the methods whose threshold separates nothing, which raises their every recall."""
        names = dict.fromkeys(one[key] for one in comparisons for key in ("first", "second"))
        everywhere = [
            name
            for name in names
            if all(
                (one.get("pixel_false_alarm_rate") or 0) > ALL
                for one in self._methods[name].summaries
            )
        ]
        if not everywhere:
            return ""
        return (
            f"{' and '.join(everywhere)}: something is flagged on every good picture. Where no "
            "threshold separates defects, the one of the highest F1 flags a great deal, and every "
            "recall rises with it."
        )

    def _difference(self, figure: str, one: str, two: str, sign: int) -> dict[str, Any] | None:
        """Compare a figure of two methods; `sign` is that of the difference which is claimed."""
        if one not in self._methods or two not in self._methods:
            return None
        first, second = self._methods[one], self._methods[two]
        interval = self._interval(figure, first.rows, second.rows)
        values = [
            (before.get(figure), after.get(figure))
            for before, after in zip(first.summaries, second.summaries, strict=True)
        ]
        if interval is None or any(None in pair for pair in values):
            return None
        befores, afters = np.array(values, float).T
        differences = afters - befores
        spread = float(np.std(differences, ddof=1)) if len(differences) > 1 else None
        return {
            "what": figure.replace("_", " "),
            "first": one,
            "second": two,
            "first_value": float(befores.mean()),
            "second_value": float(afters.mean()),
            "difference": float(differences.mean()),
            "low": interval.low if self._enough else None,
            "high": interval.high if self._enough else None,
            "spread": spread,
            "verdict": judge_difference(interval, spread, sign) if self._enough else NOISE,
        }

    def _interval(self, figure: str, first: Rows, second: Rows) -> Interval | None:
        name, _, of_class = figure.rpartition(" ")
        if of_class in CLASS_FIGURES:
            found = compare_class(first, second, name, self._seed, self._rounds)[of_class]
        else:
            found = compare(first, second, self._seed, self._rounds)[figure]
        return None if math.isnan(found.low) else found

    def _time(self, one: str, two: str) -> dict[str, Any] | None:
        if one not in self._methods or two not in self._methods:
            return None
        before, after = self._methods[one].seconds, self._methods[two].seconds
        return {
            "what": "CPU seconds from the separate coresets on",
            "first": one,
            "second": two,
            "first_value": before,
            "second_value": after,
            "difference": after - before,
            "low": None,
            "high": None,
            "spread": None,
            "verdict": NOISE if not self._enough else HOLDS if after < before else FAILS,
        }

    def _tells_more(self) -> dict[str, Any]:
        """Count the pairs of methods which only one of the two recalls can tell apart."""
        claim = "Defect-wise recall tells more than pixel recall"
        names = list(self._methods)
        apart = {"mean_defect_recall": 0, "recall": 0}
        only = dict(apart)
        opposed = 0
        for one, two in combinations(names, 2):
            found = compare(
                self._methods[one].rows, self._methods[two].rows, self._seed, self._rounds
            )
            signs = {key: _sign(found[key]) for key in apart}
            for key, other in (
                ("mean_defect_recall", "recall"),
                ("recall", "mean_defect_recall"),
            ):
                apart[key] += signs[key] != 0
                only[key] += signs[key] != 0 and signs[other] == 0
            opposed += signs["mean_defect_recall"] * signs["recall"] < 0
        pairs = len(names) * (len(names) - 1) // 2
        if not pairs:
            return {"claim": claim, "verdict": UNTESTED, "comparisons": [], "reason": ""}
        more, less = only["mean_defect_recall"], only["recall"]
        verdict = NOISE if more == less else HOLDS if more > less else FAILS
        if not self._enough:
            verdict = NOISE
        return {
            "claim": claim,
            "verdict": verdict,
            "comparisons": [
                {
                    "what": f"pairs of methods told apart, of {pairs}",
                    "first": "pixel recall",
                    "second": "defect-wise recall",
                    "first_value": apart["recall"],
                    "second_value": apart["mean_defect_recall"],
                    "difference": apart["mean_defect_recall"] - apart["recall"],
                    "low": None,
                    "high": None,
                    "spread": None,
                    "verdict": verdict,
                }
            ],
            "reason": ""
            if not self._enough
            else f"{more} pairs are told apart by defect-wise recall alone, {less} by pixel "
            f"recall alone; in {opposed} the two disagree about which method is better",
        }


def judge_difference(interval: Interval, spread: float | None, sign: int) -> str:
    """Return the verdict on a claimed difference.

    Args:
        interval: the difference over all repeats with its bootstrap bounds.
        spread: its standard deviation over repeats; None for a single one.
        sign: of the difference that is claimed.
    """
    if not _sign(interval) or (spread is not None and abs(interval.difference) <= spread):
        return NOISE
    return HOLDS if _sign(interval) == sign else FAILS


def verdict_of(verdicts: Sequence[tuple[str, str]]) -> str:
    """Return the verdict on a finding from those on its comparisons, each with its figure."""
    if not verdicts:
        return UNTESTED
    parts = []
    for figure in dict.fromkeys(what for what, _ in verdicts):
        of = [verdict for what, verdict in verdicts if what == figure]
        yes, no = of.count(HOLDS), of.count(FAILS)
        if yes > no and 2 * yes >= len(of):
            parts.append(HOLDS)
        else:
            parts.append(FAILS if no >= yes and 2 * no >= len(of) else NOISE)
    return next(verdict for verdict in (FAILS, NOISE, HOLDS) if verdict in parts)


def _sign(interval: Interval) -> int:
    if math.isnan(interval.low) or interval.low <= 0 <= interval.high:
        return 0
    return 1 if interval.difference > 0 else -1
