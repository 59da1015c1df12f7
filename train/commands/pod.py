"""Measure which flaws a detector finds: its probability of detection against their size.

    stainless pod --config train/pod/scratch.yaml --model models/cell.safetensors

Renders flaws of known size on plates, without and with impurities, scores each beside its twin
without the flaw at the model's threshold of pixels, and fits the hit/miss model of MIL-HDBK-1823A.
Several models are measured by the same renders. Any key of the YAML file can be given as well, for
example --plates 200 or --limits '[0.2, 5]'. What is there is used again; an interrupted measurement
continues with the same command.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stainless.cli import Parser
from stainless.command_line import dotted, print_keys
from stainless.errors import InputError
from train.commands.common import add_compute, context_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from train.pod.responses import Inspector
    from train.pod.rows import Row


def parser() -> Parser:
    """Return the command line without the dotted keys."""
    options = Parser(
        prog="stainless pod",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    options.add_argument("--config", type=Path, help="YAML file of the measurement")
    options.add_argument("--model", type=Path, nargs="+", help="files made by fit or meld")
    options.add_argument("--threshold", type=float, help="of pixels, in place of the models' own")
    add_compute(options)
    options.add_argument("--keys", action="store_true", help="list the keys and their defaults")
    return options


def run(words: list[str]) -> int:
    """Run the command; returns its exit code."""
    options, rest = parser().parse_known_args(words)
    from train.pod.settings import Settings, read_settings

    if options.keys:
        print_keys(Settings)
        return 0
    if options.config is None:
        raise InputError("--config: missing, expected the YAML file of a measurement")
    if not options.model:
        raise InputError("--model: missing, expected a file made by fit or meld")
    if options.threshold is not None and not math.isfinite(options.threshold):
        raise InputError(f"--threshold: {options.threshold}, expected a finite number")
    settings = read_settings(options.config, dotted(rest))
    inspectors = _inspectors(options.model, options.threshold)
    from train.pod import page
    from train.pod.run import run as measure

    measured = measure(settings, inspectors, context_of(options), _tell)
    written = page.write(settings, measured, " ".join(["stainless pod", *words]))
    _print(measured.rows, settings.kind)
    print(page.summary(settings, measured))
    print(written)
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _inspectors(paths: Sequence[Path], threshold: float | None) -> list[Inspector]:
    """Return the models with their thresholds.

    Raises:
        InputError: not a model file, one without a threshold of pixels, or two of one name.
    """
    from train.detectors.model_file import read
    from train.pod.responses import Inspector
    from train.verdicts.rule import PIXEL

    found: dict[str, Inspector] = {}
    for path in paths:
        known = read(path).thresholds.get(PIXEL)
        if threshold is None and known is None:
            raise InputError(
                f"{path}: has no threshold of pixels; run `stainless threshold` or give --threshold"
            )
        if path.stem in found:
            raise InputError(f"--model: {path}, expected files of different names")
        value = float(known["value"]) if threshold is None and known else float(threshold or 0.0)
        found[path.stem] = Inspector(path.stem, path, value)
    return list(found.values())


def _print(rows: Sequence[Row], kind: str) -> None:
    """Print the rows as a table."""
    from train.pod.page import HEADINGS, text_cells

    lines = [["Kind", *HEADINGS.values()], *([kind, *text_cells(row.numbers())] for row in rows)]
    kept = [k for k, name in enumerate(lines[0]) if any(line[k] for line in lines[1:])]
    widths = [max(len(line[k]) for line in lines) for k in kept]
    for line, row in zip(lines, [None, *rows], strict=True):
        cells = [line[k].ljust(width) for k, width in zip(kept, widths, strict=True)]
        reason = f"  {row.reason}" if row is not None and row.reason else ""
        print("  ".join(cells).rstrip() + reason)


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["pod", *sys.argv[1:]]))
