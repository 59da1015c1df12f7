"""Fit a model's threshold: that of the highest pixel F1 on a labelled part of a dataset."""

from __future__ import annotations

import argparse
import sys

from stainless.errors import InputError
from train.commands.common import (
    add_data,
    add_hold_out,
    add_model,
    fingerprints,
    labelled_split,
    open_model,
    scored_records,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser)
    add_data(parser)
    parser.add_argument(
        "--split",
        choices=["validation", "test"],
        default="validation",
        help="part that the threshold is fitted to (default: validation); never judge on the same",
    )
    add_hold_out(parser)


def run(args: argparse.Namespace) -> int:
    """Score the part, find the threshold, write it into the model."""
    from train.metrics import fit_threshold

    samples = labelled_split(args)
    if all(sample.is_good for sample in samples):
        raise InputError(
            f"{args.data / args.category}: no image of the {args.split} split has a defect, so no "
            "threshold can be fitted to it"
        )
    model = open_model(args)
    with scored_records(model, samples, args.model.absolute().parent) as records:
        best = fit_threshold(records)
    model.thresholds["pixel"] = {
        "value": best.threshold,
        "rule": "pixel-f1",
        "f1": best.f1,
        "dataset": args.category,
        "part": args.split,
        "images": len(samples),
        "fingerprints": fingerprints(args.category, samples),
    }
    model.save(args.model)
    print(
        f"{args.model}: threshold {best.threshold:.6g}, pixel F1 {best.f1:.4f} on the "
        f"{len(samples)} {args.split} images of {args.category}"
    )
    return 0


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["threshold", *sys.argv[1:]]))
