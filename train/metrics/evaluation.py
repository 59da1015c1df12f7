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
from typing import Any

import numpy as np

from stainless.errors import InputError
from train.metrics.figures import measures
from train.metrics.metric import Measure, Reading, Rereading, Thresholds
from train.metrics.radix import Radix
from train.metrics.records import Records, maps_of


def evaluate(records: Records, threshold: float | Thresholds) -> dict[str, Any]:
    """Return every metric as a dictionary ready for JSON.

    Args:
        records: gives the images anew at every call; they are read once, and again a few times to
            resolve single scores. No more than one image is held, besides about 200 MB of counts.
        threshold: a pixel is anomalous at or above it, an image with any such pixel; or one for
            pixels and one for pictures.

    Returns:
        "threshold" and "picture_threshold" (None where any anomalous pixel decides) and then, None
        standing for undefined (nothing defective, say), the sections of every metric:

        * "pixels": tp, fp, fn, tn, precision, recall, f1 at the threshold; f1_max and
          f1_max_threshold; auroc; false_alarm_rate (good images with any anomalous pixel)
        * "regions": au_pro, fpr_limit, count
        * "images": count, good, tp, fp, fn, tn, precision, recall, f1, auroc, false_alarm_rate
          (good images that are flagged)
        * "defects": count, coverage_thresholds, recall (one a threshold), mean_recall
        * "classes": by name kind, pixels, pixel_recall (of an impurity: its detection rate),
          instances, recall (one a threshold), mean_recall
        * of a dataset that says how much of a defect must be found (MVTec LOCO), "structural",
          "logical", "kinds" (the mean of both), "every" and by name "flaws": image_auroc,
          pixel_auroc, au_spro (at the limit .05), and "au_spro_at" by limit
        * "missing": reason by section of what could not be measured; its figures are None
        * "per_image": a row an image: name, group, label, defective, score, flagged, pixel_tp,
          pixel_fp, pixel_fn, pixel_tn, defects, defects_found (any pixel), defect_recall_sum
          (recall of each defect averaged over the thresholds, summed), and by name of its classes
          pixels, found, instances and recall_sum

    Raises:
        InputError: names the image: an anomaly map that is missing, not finite or of another
            size; a repeated name; no image at all; a threshold that is not a number.
    """
    thresholds = threshold if isinstance(threshold, Thresholds) else Thresholds(threshold)
    for value in (thresholds.pixel, thresholds.picture):
        if value is not None and not math.isfinite(value):
            raise InputError(f"threshold is {value}, expected a finite number")
    modules = measures()
    whole = {name for name, module in modules.items() if not module.NEEDS_MAP}
    active: dict[str, Measure] = {
        name: module.Measure(thresholds) for name, module in modules.items()
    }
    rows: list[dict[str, Any]] = []
    added: dict[str, list[dict[str, Any]]] = {name: [] for name in active}
    names: set[str] = set()
    radix, lacks = Radix(), None
    for record in records():
        if record.name in names:
            raise InputError(f"{record.name}: the name occurs twice")
        names.add(record.name)
        lacks = lacks or record.lacks or ("" if thresholds.pixel is not None else _NO_THRESHOLD)
        reading = Reading(record, thresholds)
        for name in whole if lacks else active:
            added[name].append(active[name].update(reading))
        if not lacks:
            radix.update(reading.pixels)
        rows.append(
            {
                "name": record.name,
                "group": record.group,
                "label": record.label,
                "defective": record.defective,
                "score": reading.score,
                "flagged": reading.flagged,
            }
        )
    if not rows:
        raise InputError("there is no image to evaluate")
    missing = set(active) - whole if lacks else set()
    if lacks:
        # Some images with pixels and some without add up to nothing that can be named.
        radix = Radix()
        active.update((name, modules[name].Measure(thresholds)) for name in missing)
    curves = [curve for measure in active.values() for curve in measure.curves(radix)]
    needed = np.logical_or.reduce([radix.mixed, *(curve.needed for curve in curves)])
    for steps in radix.steps(maps_of(records), needed):
        for curve in curves:
            curve.update(steps)
    for measure in active.values():
        if isinstance(measure, Rereading):
            measure.reread(records)
    sections = {name: measure.results() for name, measure in active.items()}
    for name in set(active) - missing:
        for row, more in zip(rows, added[name], strict=True):
            row.update(more)
    return _plain(
        {
            "threshold": thresholds.pixel,
            "picture_threshold": thresholds.picture,
            **{key: value for section in sections.values() for key, value in section.items()},
            "missing": {key: lacks for name in sorted(missing) for key in sections[name]},
            "per_image": rows,
        }
    )


_NO_THRESHOLD = "there is no threshold of pixels"


def _plain(value: Any) -> Any:
    """Replace NaN by None, which JSON can say."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
