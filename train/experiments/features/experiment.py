"""The experiment: one category, one protocol, our ladder and its rivals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from stainless.dataset import Sample, has_validation, read_category, split_validation
from stainless.errors import InputError
from train.detectors.detector import Trainset
from train.experiments.experiment import (
    Conclusion,
    Dataset,
    Experiment,
    Finished,
    MethodEntry,
    Pictures,
)
from train.experiments.features import figures, page
from train.experiments.features.methods import NOMINAL, entries, write_packaged_weights
from train.experiments.features.settings import CHOICE, Settings
from train.metrics.metric import Row
from train.report.results import Finding
from train.verdicts import conformal
from train.verdicts.rule import PICTURE, PIXEL

#: What rows are compared with: our own first, the rival, and the row that is claimed for.
TODAY, RIVAL, BEST = "CNN", "MH-PatchCore", "Transformer"


class Features(Experiment):
    """What features and scoring make of a guaranteed threshold."""

    families: ClassVar[Mapping[str, str]] = {
        "ours": "Sequential coreset",
        "rival": "Rivals on the same pictures",
    }

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._promise: dict[str, Any] = {}

    def datasets(self) -> Sequence[Dataset]:
        """Return the dataset, which must be there."""
        return (Dataset("data", Path(self._settings.data), None),)

    def methods(self) -> Sequence[MethodEntry]:
        """Return the rows that can be had on this machine."""
        found, _ = entries(self._settings)
        if not any(entry.listed for entry in found):
            raise InputError("rows: nothing of it can run here, expected at least one that can")
        return found

    def pictures(self) -> Pictures:
        """Read the category and divide it.

        Raises:
            InputError: what `read_category` refuses; no defect to find, one without a mask, or good
                pictures that cannot be divided.
        """
        known = self._settings
        root = Path(known.data)
        if {"AnomalyDINO", "RAD"} & set(known.rivals.rows):
            write_packaged_weights(known)
        good = read_category(root, known.category, "train", known.classes)
        held = split_validation(good, known.hold_out, known.seed, "train")
        calibration, rules = self._calibration(held.validation)
        evaluated, note = self._evaluated(root)
        for sample in evaluated:
            if not sample.is_good and sample.mask is None:
                raise InputError(f"{sample.image}: has no mask, expected one of every defect")
        if all(sample.is_good for sample in evaluated):
            raise InputError(f"{root / known.category}: {note} show no defect, expected some")
        learned = {NOMINAL: [Trainset(known.category, held.test)]}
        return Pictures(learned, calibration, evaluated, note, rules=rules)

    def _evaluated(self, root: Path) -> tuple[list[Sample], str]:
        """Return the pictures that figures are of, and in words which they are."""
        known = self._settings
        category, classes = known.category, known.classes
        choosing = known.part == CHOICE
        if has_validation(root, category):
            split = "validation" if choosing else "test"
            return read_category(root, category, split, classes), f"the pictures of {split}/"
        test = read_category(root, category, "test", classes)
        if known.choice == 0:
            if choosing:
                raise InputError(f"choice: 0, expected a share of {root / category} to choose by")
            return test, "all labelled pictures"
        drawn = split_validation(test, known.choice, known.seed)
        return (drawn.validation if choosing else drawn.test), drawn.how

    def _calibration(
        self, held: Sequence[Sample]
    ) -> tuple[list[Sample], dict[str, tuple[str, float | None]]]:
        """Return the good pictures that make the threshold, and by which rules.

        Of each group one picture counts, so no other is scored. Where the groups are too few for
        the promise, the threshold is the one that so many of all held-out pictures pass.
        """
        level = self._settings.guarantee
        groups: dict[str, list[Sample]] = {}
        for sample in held:
            groups.setdefault(sample.group, []).append(sample)
        needed = conformal.needed(level)
        self._promise = {
            "level": level,
            "groups": len(groups),
            "needed": needed,
            "kept": len(groups) >= needed,
        }
        if len(groups) < needed:
            rule = ("false-alarms", level)
            return list(held), {PIXEL: rule, PICTURE: rule}
        rng = np.random.default_rng([self._settings.seed, 0])
        drawn = [members[rng.integers(len(members))] for _, members in sorted(groups.items())]
        return drawn, {PIXEL: ("false-alarms", level), PICTURE: ("guarantee", level)}

    def conclude(self, finished: Finished) -> Conclusion:
        """Return the table, and whether features, scoring and memory hold against the rivals."""
        known = self._settings
        rows = {name: found.rows for name, found in finished.comparisons.methods.items()}
        # Intervals are of the pictures of the first repeat.
        count = len(finished.pictures.test)
        first = {name: list(of_method)[:count] for name, of_method in rows.items()}
        table = [self._row(finished, entry, first) for entry in finished.methods]
        _, missing = entries(known)
        return Conclusion(
            self._findings(finished),
            {
                "protocol": {
                    "part": known.part,
                    "pictures": finished.pictures.note,
                    "learned": len(finished.pictures.trainsets[NOMINAL][0].samples),
                    "calibration": len(finished.pictures.validation),
                    **self._promise,
                },
                "table": table,
                "missing": missing,
            },
        )

    def _row(
        self, finished: Finished, entry: MethodEntry, rows: Mapping[str, Sequence[Row]]
    ) -> dict[str, Any]:
        seed, rounds = self._settings.seed, self._settings.bootstrap_rounds
        summary = finished.comparisons.methods[entry.name].summaries[0]
        model = finished.models[entry.name]
        took = json.loads(model.with_suffix(".json").read_text())
        base = rows.get(TODAY)
        return {
            "name": entry.name,
            "note": entry.note,
            **figures.figures(rows[entry.name], seed, rounds),
            "gain": None
            if base is None or entry.name == TODAY
            else figures.gains(rows[entry.name], base, seed, rounds),
            "pixel_auroc": summary.get("pixel_auroc"),
            "au_pro": summary.get("au_pro"),
            "kinds": figures.by_kind(rows[entry.name]),
            "cpu_seconds": took["cpu_seconds"],
            "memory_mb": took.get("peak_memory_mb"),
            "model_mb": model.stat().st_size / 1e6,
        }

    def _findings(self, finished: Finished) -> list[Finding]:
        compared = finished.comparisons
        claims = (
            ("Tokens of a transformer rank pictures better than stages", TODAY, BEST),
            ("Scoring by several members ranks pictures better", BEST, f"{BEST}, scoring"),
            ("The coreset of tokens ranks pictures better than MH-PatchCore", RIVAL, BEST),
            (
                "The coreset ranks pictures better than MH-PatchCore on the same tokens",
                f"{RIVAL}, transformer",
                BEST,
            ),
        )
        return [
            compared.finding(claim, [compared.difference("image_auroc", first, second, 1)])
            for claim, first, second in claims
        ]

    page = staticmethod(page.compose)


EXPERIMENT = Features
