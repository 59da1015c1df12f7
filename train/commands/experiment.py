"""Run an experiment, from rendering its datasets to a report, with one command.

    stainless experiment --config train/experiments/sim_to_real/sim_to_real.yaml

Any key of the YAML file can be given as well, for example --repeats 3 or --real.data ROOT. What is
there already is reused: datasets, models by the content of their inputs, figures. An interrupted
experiment continues with the same command.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stainless.cli import Parser
from stainless.command_line import dotted, print_keys
from stainless.errors import InputError


def parser() -> Parser:
    """Return the command line without the dotted keys."""
    from train.experiments.settings import DEFAULT, names

    options = Parser(
        prog="stainless experiment",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    options.add_argument("--config", type=Path, help="YAML file of the experiment")
    options.add_argument(
        "--until",
        choices=["render"],
        help="stop after rendering the datasets that are missing",
    )
    options.add_argument(
        "--keys",
        nargs="?",
        const=DEFAULT,
        choices=list(names()),
        metavar="EXPERIMENT",
        help=f"list the keys of an experiment and their defaults (default: {DEFAULT}; "
        f"there are: {', '.join(names())})",
    )
    return options


def run(words: list[str]) -> int:
    """Run the command; returns its exit code."""
    options, rest = parser().parse_known_args(words)
    from train.experiments.settings import load, read_settings, schema

    if options.keys is not None:
        print_keys(schema({"experiment": options.keys}))
        return 0
    if options.config is None:
        raise InputError("--config: missing, expected the YAML file of an experiment")
    settings = read_settings(options.config, dotted(rest))
    out = Path(settings.out)
    if out.exists() and not out.is_dir():
        raise InputError(f"out: {out} is a file, expected a folder")
    from train.commands.common import check_device
    from train.experiments import runner

    check_device(settings.device)
    experiment = load(settings.experiment)(settings)
    page = runner.run(
        experiment, settings, " ".join(["stainless experiment", *words]), options.until
    )
    if page is not None:
        print(page)
    return 0
