"""The paper's findings, and the ways in which they are checked.

Source: Mao et al., arXiv 2501.09579, section V.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from train.experiments.comparison import (
    FAILS,
    HOLDS,
    NOISE,
    TOO_FEW,
    UNTESTED,
    Comparisons,
    counted,
)
from train.report.results import Finding

ENDINGS = ("", " DA", " DR", " DR+DA")
KINDS = ("Synth", "Synth_WS")


def findings(
    comparisons: Comparisons, stain: str | None, reason: Callable[[str], str]
) -> list[Finding]:
    """Return what becomes of every claim.

    Args:
        comparisons: of the scenarios.
        stain: class of the impurity that is followed; None if the test pictures show none.
        reason: says what may be behind a finding that does not hold, by its key.
    """
    difference = comparisons.difference
    pairs = [(f"Synth{end}", f"Synth_WS{end}") for end in ENDINGS]
    tuned = [f"{kind}{end} finetuned" for kind in KINDS for end in ENDINGS]
    melds = [
        (f"{kind} DR+DA finetuned", meld)
        for kind, meld in zip(KINDS, ("Melding", "Melding_WS"), strict=True)
    ]
    recall = f"{stain} pixel_recall"
    claims = {
        "stains": (
            "Training with stains lowers water-stain detection",
            [difference(recall, *pair, -1) for pair in pairs] if stain is not None else [],
        ),
        "defects": (
            "Training with stains also lowers defect recall before finetuning",
            [difference("mean_defect_recall", *pair, -1) for pair in pairs],
        ),
        "finetuning": (
            "Finetuning raises precision and F1 above real-only",
            [
                difference(figure, "Real", name, 1)
                for figure in ("precision", "f1")
                for name in tuned
            ],
        ),
        "melding": (
            "Melding trades recall for precision at less time than finetuning",
            [
                comparison
                for pair in melds
                for comparison in (
                    difference("precision", *pair, 1),
                    difference("mean_defect_recall", *pair, -1),
                    comparisons.time("CPU seconds from the separate coresets on", *pair),
                )
            ],
        ),
        "augmentation": (
            "Augmentation helps synthetic-only training more than randomised light does",
            [
                difference(figure, f"{kind} DR", f"{kind} DA", 1)
                for figure in ("f1", "mean_defect_recall")
                for kind in KINDS
            ],
        ),
    }
    checked = [
        comparisons.finding(claim, made, lambda key=key: reason(key))  # type: ignore[misc]
        for key, (claim, made) in claims.items()
    ]
    return [*checked, _tells_more(comparisons)]


def _tells_more(comparisons: Comparisons) -> Finding:
    """Count the pairs of methods which only one of the two recalls can tell apart."""
    claim = "Defect-wise recall tells more than pixel recall"
    recalls = ("mean_defect_recall", "recall")
    apart = dict.fromkeys(recalls, 0)
    alone = dict.fromkeys(recalls, 0)
    opposed = 0
    pairs = list(combinations(comparisons.methods, 2))
    if not pairs:
        return {"claim": claim, "verdict": UNTESTED, "comparisons": [], "reason": ""}
    for first, second in pairs:
        signs = comparisons.signs(first, second)
        for recall, other in (recalls, recalls[::-1]):
            apart[recall] += signs[recall] != 0
            alone[recall] += signs[recall] != 0 and signs[other] == 0
        opposed += signs["mean_defect_recall"] * signs["recall"] < 0
    more, less = alone["mean_defect_recall"], alone["recall"]
    verdict = NOISE if more == less or not comparisons.enough else HOLDS if more > less else FAILS
    return {
        "claim": claim,
        "verdict": verdict,
        "comparisons": [
            counted(
                f"pairs of methods told apart, of {len(pairs)}",
                "pixel recall",
                "defect-wise recall",
                apart["recall"],
                apart["mean_defect_recall"],
                verdict,
            )
        ],
        "reason": TOO_FEW
        if not comparisons.enough
        else f"Pairs told apart by defect-wise recall alone: {more}; by pixel recall alone: "
        f"{less}; in which the two disagree about which method is better: {opposed}.",
    }
