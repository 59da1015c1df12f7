"""Meld models of the same features into one that knows what each of them knows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stainless.errors import InputError
from train.commands.common import at_least, check_device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("models", type=Path, nargs="+", help="two or more, in this order")
    parser.add_argument("--out", type=Path, required=True, help="model file to write")
    parser.add_argument(
        "--size", type=at_least(2), help="members of the result (default: of the first)"
    )
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")


def run(args: argparse.Namespace) -> int:
    """Meld and save."""
    from train.detectors.sequential_patchcore.coreset import Coreset

    if len(args.models) < 2:
        raise InputError(f"meld {args.models[0]}: expected two models or more")
    for path in args.models:
        if args.out.exists() and path.exists() and args.out.samefile(path):
            raise InputError(f"{args.out}: is one of the models to meld, expected another file")
    device = check_device(args.device)
    if args.out.exists():
        # Whatever is no model is somebody's, and stays.
        Coreset.load(args.out)
    first, *others = [Coreset.load(path, device=device) for path in args.models]
    for path, other in zip(args.models[1:], others, strict=True):
        other.require(first.identity, f"{args.models[0]} does not meld with {path}")
    melded = first.meld(others, args.size, on_epoch=lambda epoch: print(epoch, flush=True))
    melded.save(args.out)
    return 0


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["meld", *sys.argv[1:]]))
