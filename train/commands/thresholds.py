"""The options that stand in for a model's thresholds."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from stainless.errors import InputError

if TYPE_CHECKING:
    from train.detectors.model_file import Model
    from train.verdicts.decision import Decision


def add_thresholds(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--threshold",
        type=float,
        help="of pixels, in place of the model's own; any such pixel makes a picture anomalous",
    )
    parser.add_argument(
        "--picture-threshold",
        type=float,
        help="of the scores of pictures, in place of the model's own",
    )


def given(args: argparse.Namespace) -> bool:
    """Return whether an option stands in for the model's own thresholds."""
    return args.threshold is not None or args.picture_threshold is not None


def chosen(model: Model, args: argparse.Namespace) -> Decision:
    """Return what decides: the options, else the model's own thresholds.

    Raises:
        InputError: there is neither, or an option is not finite.
    """
    from train.verdicts.decision import decide

    for option in ("threshold", "picture_threshold"):
        value = getattr(args, option)
        if value is not None and not math.isfinite(value):
            raise InputError(f"--{option.replace('_', '-')}: {value}, expected a finite number")
    decision = decide(model.thresholds, args.threshold, args.picture_threshold)
    if decision is None:
        raise InputError(
            f"{args.model}: has no threshold; run `stainless threshold` or give --threshold"
        )
    return decision
