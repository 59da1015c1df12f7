"""List the methods that can be fitted: what each learns from and what it can do."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: none."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Print a table, a line a method."""
    from train.detectors.detector import methods

    del args
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


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["methods", *sys.argv[1:]]))
