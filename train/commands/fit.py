"""Fit a method to the nominal pictures of one or more categories, or continue a model with others.

Keys of the method are options too: `--NAME.key value`, or `--key value` for short; `fit --method
NAME --keys` lists them. The same command continues an interrupted fit.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stainless import command_line
from stainless.dataset_options import counted, reading
from stainless.errors import InputError
from train.commands.common import add_compute, at_least, context_of
from train.commands.splits import add_data, add_hold_out, held_out

if TYPE_CHECKING:
    from stainless.dataset import Sample


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    _add_method(parser)
    parser.add_argument("--keys", action="store_true", help="list the keys of the method and end")
    add_data(parser, categories="+")
    parser.add_argument("--out", type=Path, required=True, help="model file to write")
    parser.add_argument(
        "--from", dest="base", type=Path, metavar="MODEL", help="continue this model"
    )
    parser.add_argument("--augment", action="store_true", help="vary the pictures in every epoch")
    parser.add_argument(
        "--seed", type=at_least(0), default=0, help="of all that is drawn (default: 0)"
    )
    parser.add_argument(
        "--log",
        type=Path,
        metavar="FOLDER",
        help="write TensorBoard scalars, with a method that learns by gradient",
    )
    add_hold_out(
        parser,
        "learn nothing from this share of the pictures, drawn in whole groups (groups.csv), so "
        "that threshold --split train with the same fraction and seed can use them",
    )
    add_compute(parser)


def _add_method(parser: argparse.ArgumentParser) -> None:
    from train.detectors.detector import DEFAULT

    parser.add_argument(
        "--method",
        metavar="NAME",
        help=f"see `stainless methods` (default: {DEFAULT}, or that of --from)",
    )


def print_keys(words: Sequence[str]) -> None:
    """Print the keys of the method that a command line names."""
    from stainless.cli import Parser
    from train.detectors import options
    from train.detectors.detector import DEFAULT

    parser = Parser(prog="stainless fit", add_help=False, allow_abbrev=False)
    _add_method(parser)
    args, _ = parser.parse_known_args(words)
    command_line.print_keys(options.tree(args.method or DEFAULT))


def run(args: argparse.Namespace) -> int:
    """Fit and save."""
    from train.augment import Ranges
    from train.backbones.origins import line
    from train.detectors.detector import Trainset
    from train.detectors.fitting import fit_file
    from train.detectors.model_file import read

    for category in args.category:
        if args.category.count(category) > 1:
            raise InputError(f"--category: {category} is given twice, expected each name once")
    if args.base is not None and args.out.exists() and args.out.samefile(args.base):
        raise InputError(f"{args.out}: --out must not be the model that is continued")
    name, settings = _chosen(args)
    trainsets = [Trainset(category, _pictures(args, category)) for category in args.category]
    context = replace(
        context_of(args),
        seed=args.seed,
        augmentation=Ranges() if args.augment else None,
        log=args.log,
    )
    context.warn = lambda line: print(f"{args.out}: {line}", file=sys.stderr)
    if not fit_file(args.out, name, settings, trainsets, context, args.base):
        print(f"{args.out}: this fit is finished already{_more(name)}")
    for weights in read(args.out).metadata.get("weights", []):
        print(line(weights), file=sys.stderr)
    for trainset in trainsets:
        print(counted(f"{args.data / trainset.name}: train", trainset.samples), file=sys.stderr)
    return 0


def _pictures(args: argparse.Namespace, category: str) -> list[Sample]:
    """Return what is learned from of a category."""
    from stainless.dataset import read_category

    if args.hold_out is not None:
        split = held_out(args, category)
        print(split.how)
        return split.test
    return read_category(args.data, category, "train", **reading(args))


def _chosen(args: argparse.Namespace) -> tuple[str, Any]:
    """Return the method and its settings: those of --from where no option says otherwise."""
    from train.detectors import options
    from train.detectors.detector import DEFAULT, method
    from train.detectors.model_file import read

    given = command_line.dotted(args.rest, lists=True)
    if args.base is None:
        name = args.method or DEFAULT
        return name, options.settings(name, given)
    base = read(args.base)
    name = args.method or base.method
    if base.method != name:
        raise InputError(f"--method: {name}, but {args.base} is a model of {base.method}")
    # How long to learn is a matter of this fit.
    kept = {k: v for k, v in base.settings.items() if k not in method(name).extended_by}
    return name, options.settings(name, given, kept)


def _more(name: str) -> str:
    """Return by which keys a finished fit would continue."""
    from train.detectors.detector import method

    keys = " or ".join(f"--{key}" for key in method(name).extended_by)
    return f"; more {keys} would continue it" if keys else ""


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["fit", *sys.argv[1:]]))
