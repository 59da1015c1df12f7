"""Metrics of anomaly detection, exact and in bounded memory, from pixels to whole images.

`evaluate` gives all of them at once; `fit_threshold` finds the threshold on a validation split;
`compare` says how sure a difference between two methods is.
"""

from train.metrics.bootstrap import Interval, compare, compare_class, paired_bootstrap
from train.metrics.defects import COVERAGE_THRESHOLDS
from train.metrics.evaluation import evaluate
from train.metrics.images import false_alarm_rate, image_auroc
from train.metrics.pixels import F1Max, f1_max, pixel_auroc
from train.metrics.records import Record, Records, read_records
from train.metrics.regions import au_pro, region_weights
from train.metrics.scores import anomalous, pixels
from train.metrics.tables import csv_text, format_table
from train.metrics.thresholds import fit_threshold

__all__ = [
    "COVERAGE_THRESHOLDS",
    "F1Max",
    "Interval",
    "Record",
    "Records",
    "anomalous",
    "au_pro",
    "compare",
    "compare_class",
    "csv_text",
    "evaluate",
    "f1_max",
    "false_alarm_rate",
    "fit_threshold",
    "format_table",
    "image_auroc",
    "paired_bootstrap",
    "pixel_auroc",
    "pixels",
    "read_records",
    "region_weights",
]
