"""Labelled splits of a dataset for the commands that measure on them."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stainless.dataset_options import add_reading, reading
from stainless.errors import InputError
from stainless.files import encoded
from train.commands.common import at_least
from train.verdicts import PIXEL

if TYPE_CHECKING:
    from stainless.dataset import Sample, Split
    from train.detectors.model_file import Model


def add_data(parser: argparse.ArgumentParser, categories: str | None = None) -> None:
    """Add what reading a dataset needs; `categories` is argparse's nargs."""
    parser.add_argument("--data", type=Path, required=True, help="root folder of the dataset")
    parser.add_argument("--category", required=True, nargs=categories, help="folder in it")
    add_reading(parser)


#: What --hold-out does where a labelled split is read.
HOLD_OUT = (
    "for a dataset without a validation split: draw this share of the test split as one, "
    "whole groups (groups.csv) at a time; evaluate with the same fraction and seed as "
    "threshold takes the rest"
)


def add_hold_out(parser: argparse.ArgumentParser, meaning: str = HOLD_OUT) -> None:
    """Add how a split is divided in two."""
    parser.add_argument("--hold-out", type=float, metavar="FRACTION", help=meaning)
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
    from stainless.dataset import has_validation, read_category

    held = has_validation(args.data, args.category)
    if args.hold_out is None:
        if args.split == "train":
            raise InputError(
                "--split: train, expected with --hold-out, the share that fit was given to keep "
                "from learning"
            )
        if args.split == "validation" and not held and (args.data / args.category).is_dir():
            raise InputError(
                f"{args.data / args.category}: has no validation split; --hold-out 0.2 draws one "
                "from the test split"
            )
        return read_category(args.data, args.category, args.split, **reading(args))
    if args.split == "train":
        split = held_out(args, args.category)
        print(split.how)
        return split.validation
    if held:
        raise InputError(
            f"--hold-out: {args.hold_out:g}, expected none: {args.data} has a validation split "
            f"of {args.category}"
        )
    split = held_out(args, args.category, "test")
    print(split.how)
    return split.validation if args.split == "validation" else split.test


def held_out(args: argparse.Namespace, category: str, source: str = "train") -> Split:
    """Return a split of a category divided in two as --hold-out says.

    Raises:
        InputError: the fraction is out of range, or as `read_category` and `split_validation`.
    """
    from stainless.dataset import read_category, split_validation

    if not 0 < args.hold_out < 1:
        raise InputError(f"--hold-out: {args.hold_out:g}, expected between 0 and 1")
    whole = read_category(args.data, category, source, **reading(args))
    split = split_validation(whole, args.hold_out, args.hold_out_seed, source)
    return split


def require_unlearned(args: argparse.Namespace, model: Model) -> None:
    """Refuse a model that has not kept away from what --hold-out keeps from learning.

    Raises:
        InputError: its last fit was not of the rest of this hold-out, or there were others.
    """
    from train.detectors.detector import Context, Trainset
    from train.detectors.request import describe
    from train.detectors.strippable import STRIPPED

    rest = Trainset(args.category, held_out(args, args.category).test)
    expected = describe([rest], Context())["listing"]
    if model.metadata.get(STRIPPED):
        raise InputError(
            f"{args.model}: does not say what it was fitted to (provenance is stripped), expected "
            "a model that does"
        )
    if [fit["listing"] for fit in model.metadata.get("fits", [])] != [expected]:
        raise InputError(
            f"{args.model}: did not learn from the rest of this hold-out alone, expected a model "
            f"of fit --category {args.category} --hold-out {args.hold_out:g} "
            f"--hold-out-seed {args.hold_out_seed}"
        )


def require_other_groups(args: argparse.Namespace, model: Model, samples: Sequence[Sample]) -> None:
    """Refuse good pictures of groups that a model has learned from.

    Raises:
        InputError: names the first of them.
    """
    from stainless.dataset import has_split, read_category

    learned = {name for fit in _fits(model.metadata) for name in fit.get("datasets", ())}
    shapes = args.classes is not None
    if args.category not in learned or not has_split(args.data, args.category, "train", shapes):
        return
    trained = {
        sample.group for sample in read_category(args.data, args.category, "train", **reading(args))
    }
    for sample in samples:
        if sample.is_good and sample.group in trained:
            raise InputError(
                f"{sample.image}: is of group {sample.group}, which {args.model} has learned from, "
                "so it promises nothing; expected groups apart from those of the training split"
            )


def _fits(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return all fits that led to a model, those of the sources of a melded one too."""
    below = [fit for source in metadata.get("melded", ()) for fit in _fits(source)]
    return [*metadata.get("fits", ()), *below]


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
    return [hashlib.sha256(encoded(text)).hexdigest()[:16] for text in described]
