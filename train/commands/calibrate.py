"""Calibrate a model: let it say how probable it is that a picture is defective.

The curve is fitted to the scores of a labelled split that the model has not learned from, and kept
in its file; `score` then prints a probability beside each score, and `evaluate` says how well the
probabilities are calibrated on another split. The other curves are fitted, too, so that `evaluate`
can compare them. A probability holds for pictures among which as many are defective as among those
of the split.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

from stainless.errors import InputError
from train.calibration.curves import BOUNDED, CURVES
from train.commands.common import add_model, open_model
from train.commands.splits import add_data, add_hold_out, fingerprints, labelled_split


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser)
    add_data(parser)
    parser.add_argument(
        "--split",
        choices=["validation", "test"],
        default="validation",
        help="what the curve is fitted to (default: validation); never evaluate on the same",
    )
    parser.add_argument(
        "--method",
        choices=list(CURVES),
        default=BOUNDED,
        help=f"the curve that speaks (default: {BOUNDED}): "
        + "; ".join(f"{name}: {kind.title}" for name, kind in CURVES.items()),
    )
    add_hold_out(parser)


def run(args: argparse.Namespace) -> int:
    """Score the split, fit the curves, write them into the model."""
    from train.calibration import Calibration, fit_all, quality
    from train.metrics.metric import Reading, Thresholds
    from train.scoring import at_models_depth, scored_records

    samples = labelled_split(args)
    defective = np.array([not sample.is_good for sample in samples])
    if defective.all() or not defective.any():
        kind, other = ("defective", "good") if defective.any() else ("good", "defective")
        raise InputError(
            f"{args.data / args.category}: the {args.split} split has {kind} pictures only, "
            f"expected {other} ones, too: a calibration needs both"
        )
    model = open_model(args)
    samples = at_models_depth(model, samples)
    with scored_records(model, samples, args.model.absolute().parent) as records:
        scores = np.array([Reading(record, Thresholds(None)).score for record in records()])
    origin: dict[str, Any] = {
        "dataset": args.category,
        "split": args.split,
        "images": len(samples),
        "good": int((~defective).sum()),
        "fingerprints": fingerprints(args.category, samples),
    }
    calibration = Calibration(args.method, fit_all(scores, defective), origin)
    model.calibration.clear()
    model.calibration.update(calibration.record())
    model.save(args.model)
    found = quality(calibration.probability(scores), defective)
    print(
        f"{args.model}: calibrated by the curve {args.method} on {len(samples)} {args.split} "
        f"images of {args.category}, {origin['good']} of them good; there, where it was fitted, "
        f"expected calibration error {found.ece:.3f}, Brier score {found.brier:.3f}"
    )
    low, high = calibration.probability(np.array([-np.inf, np.inf]))
    print(f"probability of a defect: {low:.3f} below all scores to {high:.3f} above all")
    return 0


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["calibrate", *sys.argv[1:]]))
