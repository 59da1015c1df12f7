"""Recall defect by defect and class by class."""

from __future__ import annotations

import math
from typing import Any

from stainless.errors import InputError
from train.metrics.defects import COVERAGE_THRESHOLDS, ClassRecall, DefectRecall, instances_of
from train.metrics.metric import (
    ClassFigure,
    Curve,
    Figure,
    Reading,
    Thresholds,
    count,
    lowest,
    shares,
)
from train.metrics.radix import Radix

VERSION = 1
NEEDS_MAP = True

FIGURES = (
    Figure(
        "mean_defect_recall",
        "mR_DW",
        "defects",
        "mean_recall",
        40,
        "Defective pictures, lowest mean defect-wise recall first.",
        lowest(lambda row: count(row, "defect_recall_sum"), lambda row: count(row, "defects")),
        resample=shares(
            lambda row: count(row, "defect_recall_sum"), lambda row: count(row, "defects")
        ),
        column="mean recall",
    ),
)

CLASS_FIGURES = (
    ClassFigure(
        "pixel_recall", "pixel R", "pixel recall", "found", "pixels", "share of its pixels flagged"
    ),
    ClassFigure(
        "mean_recall",
        "mR_DW",
        "mean defect-wise recall",
        "recall_sum",
        "instances",
        "mean recall of it",
    ),
)


class Measure:
    """Instances of defects and impurities, and how much of each is found."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._found = {"defect": DefectRecall(), "impurity": DefectRecall()}
        self._covered = ClassRecall()
        self._kinds: dict[str, str] = {}

    def update(self, reading: Reading) -> dict[str, Any]:
        """Take one image; its row gets the recall of its defects and of its classes."""
        record = reading.record
        assert record.mask is not None
        classes, instances, names = record.annotated()
        if classes.shape != record.mask.shape or instances.shape != record.mask.shape:
            raise InputError(f"{record.name}: annotation and ground truth differ in size")
        self._kinds.update((entry.name, entry.kind) for entry in names.values())
        recalls, touched = [], 0
        shares: dict[str, dict[str, float]] = {}
        for instance in instances_of(reading.flagged_map, classes, instances, record.ignore):
            if instance.class_index not in names:
                raise InputError(f"{record.name}: class {instance.class_index} has no name")
            known = names[instance.class_index]
            if known.kind == "ignore":
                continue
            self._found[known.kind].add(known.name, instance)
            self._covered.add(known.name, instance.pixels, instance.found)
            recall = float(instance.recalls.mean())
            share = shares.setdefault(
                known.name, {"pixels": 0, "found": 0, "instances": 0, "recall_sum": 0.0}
            )
            share["pixels"] += instance.pixels
            share["found"] += instance.found
            share["instances"] += 1
            share["recall_sum"] += recall
            if known.kind == "defect":
                recalls.append(recall)
                touched += instance.found > 0
        return {
            "defects": len(recalls),
            "defects_found": touched,
            "defect_recall_sum": math.fsum(recalls),
            "classes": shares,
        }

    def curves(self, radix: Radix) -> list[Curve]:
        """Return none."""
        return []

    def results(self) -> dict[str, dict[str, Any]]:
        """Return "defects", and "classes" with the defects before the impurities."""
        defects = self._found["defect"]
        kinds = {name: kind for name, kind in self._kinds.items() if kind != "ignore"}
        return {
            "defects": {
                "count": defects.count(),
                "coverage_thresholds": list(COVERAGE_THRESHOLDS),
                "recall": defects.recall().tolist(),
                "mean_recall": defects.mean_recall(),
            },
            "classes": {
                name: {
                    "kind": kinds[name],
                    "pixels": self._covered.pixels(name),
                    "pixel_recall": self._covered.recall(name),
                    "instances": self._found[kinds[name]].count(name),
                    "recall": self._found[kinds[name]].recall(name).tolist(),
                    "mean_recall": self._found[kinds[name]].mean_recall(name),
                }
                for name in sorted(kinds, key=lambda name: (kinds[name], name))
            },
        }
