"""Write a model without provenance, to be handed to others: it scores the same.

No names of pictures, datasets, parts and classes are in it, no hashes of such names, and no
pictures of its members; where these would be said, `unknown` is. The members themselves, vectors of
features, are what the model is and stay (docs/federated.md).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stainless.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--model", type=Path, required=True, help="a file made by fit or meld")
    parser.add_argument("--out", type=Path, required=True, help="model file to write")


def run(args: argparse.Namespace) -> int:
    """Strip and save."""
    from train.commands.members import refuse_same
    from train.detectors.detector import Context
    from train.detectors.model_file import Model
    from train.detectors.strippable import strip

    refuse_same(args.model, args.out)
    model = Model.load(args.model, Context(scores=False))
    try:
        stripped = strip(model)
    except InputError as error:
        raise InputError(f"{args.model}: {error}") from None
    stripped.save(args.out)
    size = args.out.stat().st_size
    print(f"{args.out}: provenance stripped, {size:,} of {args.model.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["strip", *sys.argv[1:]]))
