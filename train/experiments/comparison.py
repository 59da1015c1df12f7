"""How methods compare: differences with their intervals, and verdicts on what is claimed of them.

A difference counts only if its paired bootstrap interval over groups leaves zero out and it is
larger than its spread over repeats. What a finding says of a figure holds if at least half of its
comparisons hold, and more of them than contradict it; a finding holds if all that it says does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from train.metrics import CLASS_FIGURES, Interval, compare, compare_class
from train.report.results import Comparison, Finding

HOLDS, FAILS, NOISE, UNTESTED = "holds", "does not hold", "within noise", "not testable"

#: A share of good pictures with a false alarm that stands for all of them.
ALL = 0.98

#: Groups with defects without which a bootstrap over groups draws the same ones every time.
LEAST_GROUPS = 2

TOO_FEW = (
    "All defects of the test pictures are of one group: no interval can be drawn, and nothing is "
    "decided."
)

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Evaluated:
    """A method's rows per image, and its figures of every repeat.

    Attributes:
        name: of the method.
        rows: "per_image" of `evaluate`, of all repeats one after the other.
        summaries: of each repeat: figure by name; classes as "<class> pixel_recall".
        seconds: mean processor time of making it.
    """

    name: str
    rows: Rows
    summaries: Sequence[Mapping[str, float | None]]
    seconds: float


class Comparisons:
    """Compares methods on the same pictures.

    Args:
        methods: by name.
        seed: of the bootstrap.
        rounds: its draws.
    """

    def __init__(self, methods: Mapping[str, Evaluated], seed: int, rounds: int) -> None:
        self.methods = methods
        self._seed = seed
        self._rounds = rounds
        groups = {
            row["group"] for method in methods.values() for row in method.rows if row["defects"]
        }
        self.enough = len(groups) >= LEAST_GROUPS

    def of(self, names: Collection[str]) -> Comparisons:
        """Return the comparisons of some of the methods."""
        methods = {name: each for name, each in self.methods.items() if name in names}
        return Comparisons(methods, self._seed, self._rounds)

    def finding(
        self,
        claim: str,
        comparisons: Sequence[Comparison | None],
        reason: Callable[[], str] = lambda: "",
    ) -> Finding:
        """Return what becomes of a claim.

        Args:
            claim: in words.
            comparisons: what it rests on; None for those that cannot be made.
            reason: says what may be behind it if it does not hold.
        """
        made = [comparison for comparison in comparisons if comparison is not None]
        verdict = verdict_of([(comparison["what"], comparison["verdict"]) for comparison in made])
        if verdict == UNTESTED:
            text = "The experiment lacks the methods or the class that it is about."
        elif not self.enough:
            text = TOO_FEW
        else:
            reasons = [] if verdict == HOLDS else [self._saturated(made), reason()]
            text = " ".join(filter(None, reasons))
        return {"claim": claim, "verdict": verdict, "comparisons": made, "reason": text}

    def difference(self, figure: str, first: str, second: str, sign: int) -> Comparison | None:
        """Compare a figure of two methods; None if there is no such method or figure.

        Args:
            figure: a key of the summaries.
            first: name of a method.
            second: name of another.
            sign: of the difference, second minus first, that is claimed.
        """
        if first not in self.methods or second not in self.methods:
            return None
        one, other = self.methods[first], self.methods[second]
        interval = self._interval(figure, one.rows, other.rows)
        values = [
            (before.get(figure), after.get(figure))
            for before, after in zip(one.summaries, other.summaries, strict=True)
        ]
        if interval is None or any(None in pair for pair in values):
            return None
        befores, afters = np.array(values, float).T
        differences = afters - befores
        spread = float(np.std(differences, ddof=1)) if len(differences) > 1 else None
        return {
            "what": figure.replace("_", " "),
            "first": first,
            "second": second,
            "first_value": float(befores.mean()),
            "second_value": float(afters.mean()),
            "difference": float(differences.mean()),
            "low": interval.low if self.enough else None,
            "high": interval.high if self.enough else None,
            "spread": spread,
            "verdict": verdict_on(interval, spread, sign) if self.enough else NOISE,
        }

    def time(self, what: str, first: str, second: str) -> Comparison | None:
        """Compare the time of making two methods, the second of which is claimed to take less."""
        if first not in self.methods or second not in self.methods:
            return None
        before, after = self.methods[first].seconds, self.methods[second].seconds
        verdict = NOISE if not self.enough else HOLDS if after < before else FAILS
        return counted(what, first, second, before, after, verdict)

    def signs(self, first: str, second: str) -> dict[str, int]:
        """Return by figure whether the second of two methods is higher (1), lower (-1) or neither.

        The figures are those of `compare`.
        """
        rows = self.methods[first].rows, self.methods[second].rows
        found = compare(*rows, self._seed, self._rounds)
        return {figure: sign_of(interval) for figure, interval in found.items()}

    def _saturated(self, comparisons: Sequence[Comparison]) -> str:
        """Name the methods whose threshold separates nothing, which raises their every recall."""
        names = dict.fromkeys(
            name for known in comparisons for name in (known["first"], known["second"])
        )
        everywhere = [
            name
            for name in names
            if name in self.methods
            and all(
                (summary.get("pixel_false_alarm_rate") or 0) > ALL
                for summary in self.methods[name].summaries
            )
        ]
        if not everywhere:
            return ""
        return (
            f"{' and '.join(everywhere)}: something is flagged on every good picture. Where no "
            "threshold separates defects, the one of the highest F1 flags a great deal, and every "
            "recall rises with it."
        )

    def _interval(self, figure: str, first: Rows, second: Rows) -> Interval | None:
        name, _, of_class = figure.rpartition(" ")
        if of_class in CLASS_FIGURES:
            found = compare_class(first, second, name, self._seed, self._rounds)[of_class]
        else:
            found = compare(first, second, self._seed, self._rounds)[figure]
        return None if math.isnan(found.low) else found


def counted(
    what: str, first: str, second: str, first_value: float, second_value: float, verdict: str
) -> Comparison:
    """Return a comparison of two numbers that have no interval."""
    return {
        "what": what,
        "first": first,
        "second": second,
        "first_value": first_value,
        "second_value": second_value,
        "difference": second_value - first_value,
        "low": None,
        "high": None,
        "spread": None,
        "verdict": verdict,
    }


def verdict_on(interval: Interval, spread: float | None, sign: int) -> str:
    """Return the verdict on a claimed difference.

    Args:
        interval: the difference over all repeats with its bootstrap bounds.
        spread: its standard deviation over repeats; None for a single one.
        sign: of the difference that is claimed.
    """
    if not sign_of(interval) or (spread is not None and abs(interval.difference) <= spread):
        return NOISE
    return HOLDS if sign_of(interval) == sign else FAILS


def verdict_of(verdicts: Sequence[tuple[str, str]]) -> str:
    """Return the verdict on a finding from those on its comparisons, each with its figure."""
    if not verdicts:
        return UNTESTED
    whole = []
    for figure in dict.fromkeys(what for what, _ in verdicts):
        of = [verdict for what, verdict in verdicts if what == figure]
        yes, no = of.count(HOLDS), of.count(FAILS)
        if yes > no and 2 * yes >= len(of):
            whole.append(HOLDS)
        else:
            whole.append(FAILS if no >= yes and 2 * no >= len(of) else NOISE)
    return next(verdict for verdict in (FAILS, NOISE, HOLDS) if verdict in whole)


def sign_of(interval: Interval) -> int:
    """Return the sign of a difference, 0 where its interval holds zero or is undefined."""
    if math.isnan(interval.low) or interval.low <= 0 <= interval.high:
        return 0
    return 1 if interval.difference > 0 else -1
