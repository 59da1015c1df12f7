"""Judge a model on a labelled part of a dataset: pixels, regions, images, defects, classes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from train.commands.common import (
    add_data,
    add_hold_out,
    add_model,
    check_folder,
    chosen_threshold,
    labelled_part,
    open_model,
    scored_records,
)


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
    samples = labelled_part(args)
    detector = open_model(args)
    threshold = chosen_threshold(detector, args)
    with scored_records(detector, samples, args.out, args.keep_maps) as records:
        result = evaluate(records, threshold)
    table = format_table(result)
    write_text(args.out / "per_image.csv", csv_text(result))
    write_text(args.out / "table.txt", table + "\n")
    write_json(args.out / "metrics.json", result)
    print(table)
    return 0


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["evaluate", *sys.argv[1:]]))
