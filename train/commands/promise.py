"""Try a guarantee on good pictures that were evaluated: many random splits, beside the theory.

Reads metrics.json of `stainless evaluate`. The groups of its good pictures are split at random: one
half (or as many as the level needs) fits the threshold of `threshold --guarantee`, the other is
scored with it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stainless.errors import InputError
from train.commands.common import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("metrics", type=Path, help="metrics.json of evaluate")
    parser.add_argument(
        "--guarantee", type=float, metavar="LEVEL", default=0.05, help="default: 0.05"
    )
    parser.add_argument("--splits", type=at_least(1), default=200, help="how many (default: 200)")
    parser.add_argument("--seed", type=at_least(0), default=0, help="of the splits (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Print how often new good pictures were flagged."""
    import numpy as np

    from stainless.dataset.text import read_json
    from train.verdicts.promise import tried

    content = read_json(args.metrics)
    try:
        rows = [row for row in content["per_image"] if not row["defective"]]
        scores = np.array([float(row["score"]) for row in rows])
        groups = np.array([str(row["group"]) for row in rows])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{args.metrics}: expected metrics.json of stainless evaluate") from None
    kept = tried(scores, groups, args.guarantee, args.splits, args.seed)
    print("\n".join(kept.lines()))
    return 0


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["promise", *sys.argv[1:]]))
