"""Write the report of a finished experiment anew: its page and its CSV tables."""

from __future__ import annotations

import argparse
from pathlib import Path

from stainless.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("folder", type=Path, help="folder of the experiment, with results.json")


def run(args: argparse.Namespace) -> int:
    """Write the report and print where it is."""
    from train.experiments.settings import load
    from train.report import write_report
    from train.report.results import RESULTS, read_results

    name = read_results(args.folder)["experiment"]
    try:
        experiment = load(name)
    except ValueError as error:
        raise InputError(f"{args.folder / RESULTS}: {error}") from None
    print(write_report(args.folder, experiment.page))
    return 0
