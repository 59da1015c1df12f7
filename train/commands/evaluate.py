"""Measure a model on a labelled split of a dataset: pixels, regions, images, defects, classes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stainless.dataset_options import counted
from train.commands.common import add_model, open_model
from train.commands.splits import (
    add_data,
    add_hold_out,
    check_truth,
    fingerprints,
    labelled_split,
)
from train.commands.thresholds import add_thresholds, chosen, given

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stainless.dataset import Sample
    from train.calibration import Calibration
    from train.detectors.model_file import Model
    from train.metrics import Records

#: What is written, beside the maps.
METRICS, ROWS, TABLE = "metrics.json", "per_image.csv", "table.txt"

#: What is written of a calibrated model.
RELIABILITY = "reliability.svg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser, exported=True)
    add_data(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    add_hold_out(parser)
    add_thresholds(parser)
    parser.add_argument("--keep-maps", action="store_true", help="keep the anomaly maps as .npy")


def run(args: argparse.Namespace) -> int:
    """Evaluate; write metrics.json, per_image.csv and table.txt, and print the table."""
    from stainless.dataset import require_saturation
    from stainless.files import json_text
    from stainless.own_files import OwnFiles
    from train.calibration import Calibration
    from train.map_files import map_file
    from train.metrics import Thresholds, csv_text, evaluate, format_table
    from train.scoring import at_models_depth, scored_records

    own = OwnFiles(args.out, "evaluate")
    samples = labelled_split(args)
    written = [METRICS, ROWS, TABLE, RELIABILITY]
    if args.keep_maps:
        written += [map_file(Path("maps"), sample.name).as_posix() for sample in samples]
    own.require(written)
    check_truth(samples)
    require_saturation(samples)
    model = open_model(args)
    samples = at_models_depth(model, samples)
    decision = chosen(model, args)
    if args.threshold is None:
        _warn_of_fitted(model.thresholds.values(), "threshold", args.category, samples)
    _warn_of_fitted([model.calibration], "calibration", args.category, samples)
    kept = own if args.keep_maps else None
    with scored_records(model, samples, args.out, kept) as records:
        result = evaluate(records, Thresholds(decision.pixel, decision.picture))
        larger = _larger(model, samples, records, result) if not given(args) else {}
    result = {
        "rules": {"pixel": decision.pixel_rule, "picture": decision.rule},
        **result,
        **larger,
    }
    table = "\n\n".join([format_table(result), *_lines(larger)])
    calibration = Calibration.from_record(model.calibration)
    own.clear(name for name in written if name != RELIABILITY or calibration is not None)
    if calibration is not None:
        result, more, diagram = _calibrated(calibration, result)
        table += f"\n\n{more}"
        own.write_text(RELIABILITY, diagram)
    own.write_text(ROWS, csv_text(result))
    own.write_text(TABLE, table + "\n")
    own.write_text(METRICS, json_text(result))
    print(table)
    print(counted(f"{args.data / args.category}: {args.split}", samples), file=sys.stderr)
    return 0


def _larger(
    model: Model, samples: Sequence[Sample], records: Records, result: dict[str, Any]
) -> dict[str, Any]:
    """Return how verdicts on products and areas turn out, of those that have a threshold."""
    from stainless.dataset import load_areas
    from train.verdicts import PRODUCT
    from train.verdicts.areas import area_results, area_thresholds, product_results, read_areas

    found: dict[str, Any] = {}
    if PRODUCT in model.thresholds:
        value = float(model.thresholds[PRODUCT]["value"])
        found["products"] = product_results(result["per_image"], value)
    thresholds = area_thresholds(model.thresholds)
    if thresholds:
        shown = {sample.name: sample for sample in samples}
        readings = read_areas(records, lambda name: load_areas(shown[name]))
        found["areas"], found["products_by_areas"] = area_results(readings, thresholds)
    return found


def _lines(larger: dict[str, Any]) -> list[str]:
    """Return what `_larger` returned as a table, if there is any."""
    from train.verdicts.areas import described

    titles = {"products": "products", "products_by_areas": "products, by any area"}
    lines = [described(title, larger[key]) for key, title in titles.items() if key in larger]
    lines += [described(f"area {name}", found) for name, found in larger.get("areas", {}).items()]
    return ["\n".join(lines)] if lines else []


def _calibrated(
    calibration: Calibration, result: dict[str, Any]
) -> tuple[dict[str, Any], str, str]:
    """Return the result with probabilities and how good they are, a table of it, and a diagram."""
    import numpy as np

    from train.calibration import quality
    from train.calibration.assessment import assess, table
    from train.calibration.diagram import reliability_svg

    rows = result["per_image"]
    found = calibration.probability(np.array([row["score"] for row in rows]))
    defective = np.array([row["defective"] for row in rows])
    assessed = assess(calibration, rows)
    for row, probability in zip(rows, found.tolist(), strict=True):
        row["probability"] = probability
    title = f"Reliability, curve {calibration.chosen}"
    diagram = reliability_svg(title, quality(found, defective))
    return {**result, "calibration": assessed}, "\n".join(table(assessed)), diagram


def _warn_of_fitted(
    entries: Iterable[Mapping[str, Any]], what: str, category: str, samples: Sequence[Sample]
) -> None:
    """Tell if a model's thresholds, or its calibration, were fitted to some of these images."""
    fitted = {fingerprint for entry in entries for fingerprint in entry.get("fingerprints", ())}
    again = fitted & {*fingerprints(category, samples)}
    if again:
        print(
            f"warning: the {what} was fitted to {len(again)} of these {len(samples)} images, "
            "so what is measured at it is too good",
            file=sys.stderr,
        )


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["evaluate", *sys.argv[1:]]))
