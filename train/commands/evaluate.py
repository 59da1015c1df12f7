"""Judge a model on a labelled part of a dataset: pixels, regions, images, defects, classes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stainless.errors import InputError
from train.commands.common import (
    add_data,
    add_hold_out,
    add_model,
    check_folder,
    chosen_threshold,
    fingerprints,
    labelled_split,
    open_model,
    scored_records,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stainless.dataset import Sample
    from train.detectors.model_file import Model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser)
    add_data(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    add_hold_out(parser)
    parser.add_argument("--threshold", type=float, help="default: the model's own")
    parser.add_argument("--keep-maps", action="store_true", help="keep the anomaly maps as .npy")


def run(args: argparse.Namespace) -> int:
    """Evaluate; write metrics.json, per_image.csv and table.txt, and print the table."""
    from stainless.files import write_json, write_text
    from train.metrics import csv_text, evaluate, format_table

    check_folder(args.out)
    _refuse_foreign(args.out / "metrics.json")
    samples = labelled_split(args)
    model = open_model(args)
    threshold = chosen_threshold(model, args)
    if args.threshold is None:
        _warn_of_fitted(model, args.category, samples)
    with scored_records(model, samples, args.out, args.keep_maps) as records:
        result = evaluate(records, threshold)
    table = format_table(result)
    write_text(args.out / "per_image.csv", csv_text(result))
    write_text(args.out / "table.txt", table + "\n")
    write_json(args.out / "metrics.json", result)
    print(table)
    return 0


def _refuse_foreign(path: Path) -> None:
    """Refuse to replace a file of the results' name that evaluate has not written."""
    if not path.exists():
        return
    try:
        ours = "per_image" in json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, TypeError):
        ours = False
    if not ours:
        raise InputError(f"{path}: holds something else, expected another --out")


def _warn_of_fitted(model: Model, category: str, samples: Sequence[Sample]) -> None:
    """Tell if the model's threshold was fitted to some of these images."""
    fitted = model.thresholds["pixel"]
    again = {*fitted.get("fingerprints", ())} & {*fingerprints(category, samples)}
    if again:
        print(
            f"warning: the threshold was fitted to {len(again)} of these {len(samples)} images, "
            "so what is measured at it is too good",
            file=sys.stderr,
        )


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["evaluate", *sys.argv[1:]]))
