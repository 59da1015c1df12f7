"""Labelled splits of a dataset for the commands that measure on them."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stainless.dataset_options import add_reading, reading
from stainless.errors import InputError
from train.commands.common import at_least
from train.verdicts import PIXEL

if TYPE_CHECKING:
    from stainless.dataset import Sample


def add_data(parser: argparse.ArgumentParser, categories: str | None = None) -> None:
    """Add what reading a dataset needs; `categories` is argparse's nargs."""
    parser.add_argument("--data", type=Path, required=True, help="root folder of the dataset")
    parser.add_argument("--category", required=True, nargs=categories, help="folder in it")
    add_reading(parser)


def add_hold_out(parser: argparse.ArgumentParser) -> None:
    """Add how a validation split is drawn where a dataset has none."""
    parser.add_argument(
        "--hold-out",
        type=float,
        metavar="FRACTION",
        help="for a dataset without a validation split: draw this share of the test split as one, "
        "whole groups (groups.csv) at a time; evaluate with the same fraction and seed as "
        "threshold takes the rest",
    )
    parser.add_argument(
        "--hold-out-seed",
        type=at_least(0),
        default=0,
        metavar="N",
        help="which draw (default: 0)",
    )


def labelled_split(args: argparse.Namespace) -> list[Sample]:
    """Read the split that --split names, from a divided test split if --hold-out is given.

    Raises:
        InputError: as `read_category` and `split_validation`, or the dataset has no validation
            split without --hold-out, or has one with it.
    """
    from stainless.dataset import has_validation, read_category, split_validation

    held = has_validation(args.data, args.category)
    if args.hold_out is None:
        if args.split == "validation" and not held and (args.data / args.category).is_dir():
            raise InputError(
                f"{args.data / args.category}: has no validation split; --hold-out 0.2 draws one "
                "from the test split"
            )
        return read_category(args.data, args.category, args.split, **reading(args))
    if held:
        raise InputError(
            f"--hold-out: {args.hold_out:g}, expected none: {args.data} has a validation split "
            f"of {args.category}"
        )
    if not 0 < args.hold_out < 1:
        raise InputError(f"--hold-out: {args.hold_out:g}, expected between 0 and 1")
    whole = read_category(args.data, args.category, "test", **reading(args))
    split = split_validation(whole, args.hold_out, args.hold_out_seed)
    print(split.how)
    return split.validation if args.split == "validation" else split.test


def check_truth(samples: Sequence[Sample]) -> None:
    """Read all of the ground truth, so that a wrong mask shows before anything is scored.

    Raises:
        InputError: names the mask or the annotation that is missing, damaged, not binary or of
            another size than its picture.
    """
    from tqdm import tqdm

    from stainless.dataset import load_annotation, load_ignore, load_mask

    progress = tqdm(samples, desc="checking masks", unit="image", disable=None, leave=False)
    for sample in progress:
        if sample.truth != PIXEL:
            continue
        size, classes = load_mask(sample).shape, load_annotation(sample).classes.shape
        if classes != size:
            raise InputError(
                f"{sample.annotation or sample.mask}: is {classes[1]}x{classes[0]} pixels, its "
                f"image {size[1]}x{size[0]}"
            )
        load_ignore(sample)


def fingerprints(category: str, samples: Sequence[Sample]) -> list[str]:
    """Return a few digits for each image by which it is known again: of its name and size."""
    described = (f"{category}/{sample.name} {sample.stamp()}" for sample in samples)
    return [hashlib.sha256(os.fsencode(text)).hexdigest()[:16] for text in described]
