"""Meld models of the same features into one that knows what each of them knows.

Keys of the method, such as --size, are those of the result; the others stay as in the first model.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from stainless import command_line
from stainless.errors import InputError
from train.commands.common import check_device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("models", type=Path, nargs="+", help="two or more, in this order")
    parser.add_argument("--out", type=Path, required=True, help="model file to write")
    parser.add_argument(
        "--strip-provenance",
        action="store_true",
        help="write no names, classes and pictures of what was learned from (docs/federated.md)",
    )
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")


def print_keys(words: Sequence[str]) -> None:
    """Print the keys of the method of the models that a command line names."""
    from train.commands import fit

    fit.print_keys(words)


def run(args: argparse.Namespace) -> int:
    """Meld and save."""
    from stainless.config import plain
    from train.detectors import options
    from train.detectors.detector import Context, Meldable, method
    from train.detectors.model_file import read
    from train.detectors.strippable import strip

    if len(args.models) < 2:
        raise InputError(f"meld {args.models[0]}: expected two models or more")
    for path in args.models:
        if args.out.exists() and path.exists() and args.out.samefile(path):
            raise InputError(f"{args.out}: is one of the models to meld, expected another file")
    context = Context(device=check_device(args.device), scores=False)
    if args.out.exists():
        # Whatever is no model is somebody's, and stays.
        read(args.out)
    stored = [read(path) for path in args.models]
    for source in stored:
        source.typed_settings()
        if source.method != stored[0].method:
            raise InputError(
                f"{source.path}: is a model of {source.method}, {args.models[0]} is one of "
                f"{stored[0].method}; these do not meld"
            )
    if not method(stored[0].method).melds:
        raise InputError(f"{args.models[0]}: a model of {stored[0].method} cannot be melded")
    first, *others = [source.open(context) for source in stored]
    given = command_line.dotted(args.rest)
    settings = options.settings(first.method, given, plain(asdict(first.settings)))
    assert isinstance(first.detector, Meldable)
    for path, other in zip(args.models[1:], others, strict=True):
        if reason := first.detector.differs(other.detector):
            raise InputError(f"{args.models[0]} does not meld with {path}: {reason}")
    melded = first.meld(others, settings, [*map(str, args.models)])
    if args.strip_provenance:
        melded = strip(melded)
    melded.save(args.out)
    return 0


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["meld", *sys.argv[1:]]))
