"""Sim-to-real: the paper's scenarios, from rendering to a report, with one command.

    python train/experiments/sim_to_real.py --config train/experiments/sim_to_real.yaml

Any key of the YAML file can be given as well, for example --repeats 3 or --real.data ROOT. What is
there already is reused: datasets, coresets by the content of their inputs, results. An interrupted
experiment continues with the same command.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if not __package__:
    # Run as a script: this folder gives way to the project's.
    sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent]
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from stainless.cli import Parser
from stainless.command_line import dotted, print_keys
from stainless.errors import InputError, guarded

CONFIG = Path(__file__).with_suffix(".yaml")


def parser() -> Parser:
    """Return the command line without the dotted keys."""
    options = Parser(
        prog="sim_to_real",
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
    options.add_argument("--keys", action="store_true", help="list the keys and their defaults")
    return options


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    words = sys.argv[1:] if argv is None else argv
    return guarded(lambda: _main(words), "sim_to_real")


def _main(words: list[str]) -> int:
    options, rest = parser().parse_known_args(words)
    from train.experiments.settings import Experiment, read_experiment

    if options.keys:
        print_keys(Experiment)
        return 0
    if options.config is None:
        raise InputError(f"--config: missing, expected a YAML file such as {_shown(CONFIG)}")
    experiment = read_experiment(options.config, dotted(rest))
    out = Path(experiment.out)
    if out.exists() and not out.is_dir():
        raise InputError(f"out: {out} is a file, expected a folder")
    out.mkdir(parents=True, exist_ok=True)
    from train.experiments.course import run

    command = " ".join(["python", "train/experiments/sim_to_real.py", *words])
    return run(experiment, command, options.until)


def _shown(path: Path) -> Path:
    """Return a path as seen from here, if it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


if __name__ == "__main__":
    sys.exit(main())
