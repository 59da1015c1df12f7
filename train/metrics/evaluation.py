"""All metrics of one method on one set of images.

samples = read_category(root, category, "test")
records = read_records(samples, lambda sample: folder / f"{sample.name}.npy")
result = evaluate(records, threshold)
write_json(out / "metrics.json", result)
write_text(out / "per_image.csv", csv_text(result))
print(format_table(result))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stainless.dataset import GOOD
from stainless.errors import InputError
from train.metrics.defects import COVERAGE_THRESHOLDS, ClassRecall, DefectRecall, instances_of
from train.metrics.images import false_alarm_rate, image_auroc
from train.metrics.pixels import Confusion, F1Curve, RocCurve, confusion, pixel_confusion
from train.metrics.radix import Radix
from train.metrics.records import Record, Records, maps_of
from train.metrics.regions import FPR_LIMIT, ProCurve, region_weights
from train.metrics.scores import anomalous


def evaluate(
    records: Records, threshold: float, class_names: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return every metric as a dictionary ready for JSON.

    Args:
        records: gives the images anew at every call; they are read once, and again a few times to
            resolve single scores. No more than one image is held, besides about 200 MB of counts.
        threshold: a pixel is anomalous at or above it, an image with any such pixel.
        class_names: classes to report, in this order; None for all that the images name.

    Returns:
        "threshold" and then, None standing for undefined (nothing defective, say):

        * "pixels": tp, fp, fn, tn, precision, recall, f1 at the threshold; f1_max and
          f1_max_threshold; auroc
        * "regions": au_pro, fpr_limit, count
        * "images": count, good, tp, fp, fn, tn, precision, recall, f1, auroc, false_alarm_rate
        * "defects": count, coverage_thresholds, recall (one a threshold), mean_recall
        * "classes": by name kind, pixels, pixel_recall (of an impurity: its detection rate),
          instances, recall (one a threshold), mean_recall
        * "per_image": a row an image: name, group, label, defective, score, flagged, pixel_tp,
          pixel_fp, pixel_fn, pixel_tn, defects, defects_found (any pixel), defect_recall_sum
          (recall of each defect averaged over the thresholds, summed), and by name of its classes
          pixels, found, instances and recall_sum

    Raises:
        InputError: names the image: an anomaly map that is missing, not finite or of another
            size; a repeated name; no image at all; a threshold that is not a number.
    """
    if not math.isfinite(threshold):
        raise InputError(f"threshold is {threshold}, expected a finite number")
    once = _FirstReading(threshold)
    for record in records():
        once.update(record)
    if not once.rows:
        raise InputError("there is no image to evaluate")

    f1, roc, pro = F1Curve(once.radix), RocCurve(once.radix), ProCurve(once.radix)
    refine = once.radix.mixed | f1.candidates | pro.needed
    for steps in once.radix.steps(maps_of(records), refine):
        for curve in (f1, roc, pro):
            curve.update(steps)

    best = f1.result()
    result = {
        "threshold": threshold,
        "pixels": {
            **_counts(once.confusion),
            "f1_max": best.f1,
            "f1_max_threshold": best.threshold,
            "auroc": roc.result(),
        },
        "regions": {"au_pro": pro.result(), "fpr_limit": FPR_LIMIT, "count": once.regions},
        "images": once.image_metrics(),
        "defects": {
            "count": once.found["defect"].count(),
            "coverage_thresholds": list(COVERAGE_THRESHOLDS),
            "recall": once.found["defect"].recall().tolist(),
            "mean_recall": once.found["defect"].mean_recall(),
        },
        "classes": once.class_metrics(class_names),
        "per_image": once.rows,
    }
    return _plain(result)


class _FirstReading:
    """What one reading of the images tells; `update` once an image."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.radix = Radix()
        self.confusion = Confusion()
        self.regions = 0
        self.rows: list[dict[str, Any]] = []
        self.found = {"defect": DefectRecall(), "impurity": DefectRecall()}
        self.covered = ClassRecall()
        self._kinds: dict[str, str] = {}
        self._names: set[str] = set()

    def update(self, record: Record) -> None:
        """Take one image."""
        if record.name in self._names:
            raise InputError(f"{record.name}: the name occurs twice")
        self._names.add(record.name)
        weights, regions = region_weights(record.mask, record.ignore)
        image = record.pixels(weights)
        self.radix.update(image)
        self.regions += regions
        counts = pixel_confusion(image, self.threshold)
        self.confusion += counts
        recalls, touched, classes = self._take_instances(record)
        self.rows.append(
            {
                "name": record.name,
                "group": record.group,
                "label": record.label,
                "defective": record.label != GOOD,
                "score": float(image.scores.max()),
                "flagged": counts.true_positive + counts.false_positive > 0,
                "pixel_tp": counts.true_positive,
                "pixel_fp": counts.false_positive,
                "pixel_fn": counts.false_negative,
                "pixel_tn": counts.true_negative,
                "defects": len(recalls),
                "defects_found": touched,
                "defect_recall_sum": math.fsum(recalls),
                "classes": classes,
            }
        )

    def _take_instances(
        self, record: Record
    ) -> tuple[list[float], int, dict[str, dict[str, float]]]:
        """Count instances; return the recall of each defect, how many were touched, and classes."""
        classes, instances, names = record.annotated()
        if classes.shape != record.mask.shape or instances.shape != record.mask.shape:
            raise InputError(f"{record.name}: annotation and ground truth differ in size")
        self._kinds.update((one.name, one.kind) for one in names.values() if one.kind != "ignore")
        flagged = anomalous(record.score_map(), self.threshold)
        recalls, touched = [], 0
        shares: dict[str, dict[str, float]] = {}
        for instance in instances_of(flagged, classes, instances, record.ignore):
            if instance.class_index not in names:
                raise InputError(f"{record.name}: class {instance.class_index} has no name")
            known = names[instance.class_index]
            if known.kind == "ignore":
                continue
            self.found[known.kind].add(known.name, instance)
            self.covered.add(known.name, instance.pixels, instance.found)
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
        return recalls, touched, shares

    def image_metrics(self) -> dict[str, Any]:
        """Return the metrics of whole images."""
        defective = np.array([row["defective"] for row in self.rows])
        flagged = np.array([row["flagged"] for row in self.rows])
        return {
            "count": len(self.rows),
            "good": int((~defective).sum()),
            **_counts(confusion(flagged, defective)),
            "auroc": image_auroc(np.array([row["score"] for row in self.rows]), defective),
            "false_alarm_rate": false_alarm_rate(flagged, defective),
        }

    def class_metrics(self, class_names: Sequence[str] | None) -> dict[str, Any]:
        """Return the metrics of each class, defects before impurities unless an order is given."""
        order = sorted(self._kinds, key=lambda name: (self._kinds[name], name))
        metrics = {}
        for name in order if class_names is None else class_names:
            kind = self._kinds.get(name, "defect")
            metrics[name] = {
                "kind": kind,
                "pixels": self.covered.pixels(name),
                "pixel_recall": self.covered.recall(name),
                "instances": self.found[kind].count(name),
                "recall": self.found[kind].recall(name).tolist(),
                "mean_recall": self.found[kind].mean_recall(name),
            }
        return metrics


def _counts(counts: Confusion) -> dict[str, Any]:
    return {
        "tp": counts.true_positive,
        "fp": counts.false_positive,
        "fn": counts.false_negative,
        "tn": counts.true_negative,
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
    }


def _plain(value: Any) -> Any:
    """Replace NaN by None, which JSON can say."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
