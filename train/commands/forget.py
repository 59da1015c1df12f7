"""Take what lay on the surface out of what a model has learned: a class of members, or several.

From the model alone its members are taken away. The command says whether that is exactly as if
patches of the class had never been shown, and if not, how many decisions rested on them. With the
dataset it fits anew without these patches, which is exact always.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stainless import config
from stainless.dataset_options import add_reading, reading
from stainless.errors import InputError
from train.commands.common import add_compute, context_of
from train.commands.members import refuse_same, tell_of_thresholds
from train.commands.splits import add_hold_out, held_out

if TYPE_CHECKING:
    from stainless.dataset import Sample
    from train.detectors.detector import Trainset
    from train.detectors.model_file import Model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--model", type=Path, required=True, help="a file made by fit or meld")
    parser.add_argument(
        "--class",
        dest="names",
        nargs="+",
        required=True,
        metavar="CLASS",
        help="as `stainless members` lists them; rendered and photograph are classes too",
    )
    parser.add_argument("--out", type=Path, required=True, help="model file to write")
    parser.add_argument(
        "--data",
        type=Path,
        help="root folder of the dataset that the model was fitted to: fit anew without the class",
    )
    add_hold_out(parser, "the one that fit was given, with --data")
    add_reading(parser)
    add_compute(parser)


def run(args: argparse.Namespace) -> int:
    """Forget and save."""
    from train.detectors.detector import Context
    from train.detectors.model_file import read

    refuse_same(args.model, args.out)
    stored = read(args.model)
    context = Context(scores=False) if args.data is None else context_of(args)
    model = stored.open(context)
    had_threshold = bool(model.thresholds)
    if args.data is None:
        kept, line = model.forget(args.names)
        kept.save(args.out)
        print(f"{args.out}: {line}")
    else:
        _fit_anew(args, model)
        print(f"{args.out}: fitted anew: exactly as if their patches had never been shown")
    if had_threshold:
        tell_of_thresholds(args.out)
    return 0


def _fit_anew(args: argparse.Namespace, model: Model) -> None:
    """Do the fit of a model again without some classes.

    Raises:
        InputError: it comes from more than one fit, or the dataset is not the one of that fit.
    """
    from train.augment import Ranges
    from train.detectors.fitting import fit_file
    from train.detectors.request import describe

    settings = model.remembering().settings_without(args.names)
    fits = model.metadata.get("fits", [])
    if len(fits) != 1 or fits[0].get("base") is not None:
        raise InputError(
            f"{args.model}: does not come from one fit alone, expected none of --data; fit again "
            f"what it was made of with --without {' '.join(args.names)}"
        )
    (fit,) = fits
    ranges = fit["augment"]
    context = replace(
        context_of(args),
        seed=fit["seed"],
        augmentation=None if ranges is None else config.build(Ranges, ranges, "augment"),
        shuffle=fit.get("shuffle", False),
    )
    trainsets = [_trainset(args, name) for name in fit["datasets"]]
    if describe(trainsets, context)["listing"] != fit["listing"]:
        raise InputError(
            f"{args.data}: does not have the pictures that {args.model} was fitted to, expected "
            "the same dataset and --hold-out"
        )
    fit_file(args.out, model.method, settings, trainsets, context)


def _trainset(args: argparse.Namespace, name: str) -> Trainset:
    from stainless.dataset import read_category
    from train.detectors.detector import Trainset

    samples: list[Sample]
    if args.hold_out is not None:
        samples = held_out(args, name).test
    else:
        samples = read_category(args.data, name, "train", **reading(args))
    return Trainset(name, samples)


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["forget", *sys.argv[1:]]))
