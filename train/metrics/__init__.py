"""Metrics of anomaly detection, exact and in bounded memory, from pixels to whole images.

`evaluate` gives all of them at once; `compare` says how sure a difference between two methods is;
`FIGURES` names each figure.
"""

from train.metrics.bootstrap import Interval, compare, compare_class, paired_bootstrap
from train.metrics.defects import COVERAGE_THRESHOLDS
from train.metrics.evaluation import evaluate
from train.metrics.figures import CLASS_FIGURES, FIGURES, METRIC_VERSION
from train.metrics.images import false_alarm_rate, image_auroc
from train.metrics.metric import Thresholds
from train.metrics.pixels import F1Max, f1_max
from train.metrics.records import Record, Records, read_records
from train.metrics.regions import region_weights
from train.metrics.scores import anomalous, pixels
from train.metrics.tables import csv_text, format_table

__all__ = [
    "CLASS_FIGURES",
    "COVERAGE_THRESHOLDS",
    "FIGURES",
    "METRIC_VERSION",
    "F1Max",
    "Interval",
    "Record",
    "Records",
    "Thresholds",
    "anomalous",
    "compare",
    "compare_class",
    "csv_text",
    "evaluate",
    "f1_max",
    "false_alarm_rate",
    "format_table",
    "image_auroc",
    "paired_bootstrap",
    "pixels",
    "read_records",
    "region_weights",
]
