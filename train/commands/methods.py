"""List the methods that can be fitted, what each learns from and can do; or describe a backbone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stainless.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--backbone",
        metavar="NAME",
        help="say what this backbone is, and origin and licence of its weights, in place of that",
    )
    parser.add_argument("--weights", type=Path, help="weight file of the backbone, or a folder")


def run(args: argparse.Namespace) -> int:
    """Print a table, a line a method, or some lines about a backbone.

    Raises:
        InputError: no such backbone.
    """
    if args.backbone is not None:
        return describe(args.backbone, args.weights)
    if args.weights is not None:
        raise InputError("--weights: expected --backbone beside it")
    from train.detectors.detector import methods

    head = ("method", "learns from", "maps", "melds", "continues", "explains", "what it is")
    rows: list[tuple[str, ...]] = [head]
    for name, method in methods().items():
        abilities = (method.maps, method.melds, method.continues, method.explains)
        answers = ("yes" if able else "no" for able in abilities)
        rows.append((name, method.learns_from, *answers, method.summary))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]))
    return 0


def describe(backbone: str, weights: Path | None) -> int:
    """Print kind, layers and weights of each network of a backbone."""
    from train.backbones import known
    from train.backbones.origins import described, line
    from train.backbones.transformer import depth_of, patch_of
    from train.backbones.weights import weight_file
    from train.feature_settings import Features

    for name in Features(backbone).networks:
        patch = patch_of(name)
        kind = "convolutional network, stages from 1"
        if patch is not None:
            kind = f"vision transformer, blocks 0 to {depth_of(name) - 1}, patch of {patch} pixels"
        print(f"{name}: {kind}")
        try:
            print(f"  {line(described(name, weight_file(name, weights)))}")
        except InputError as missing:
            print(f"  licence of its published weights: {known(name).licence or 'not stated'}")
            print(f"  {missing}")
    return 0


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["methods", *sys.argv[1:]]))
