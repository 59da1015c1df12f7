"""Export a model as one file that ONNX Runtime and OpenVINO score with, without PyTorch.

In the file: preparation of pictures, network, distances, map, thresholds, calibration of a
guarantee, what members are, licences, what it was fitted on, and a report of the conversion. Both
runtimes read the same ONNX file; --to says which one scores with it unless `score --runtime` asks
for the other. Scores agree with PyTorch's within 1e-5 + 1e-4 of themselves, which is tried before
the file is written and can be tried again with `stainless verify`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from train.commands.common import add_model, open_model

#: Names of `--to`, and the runtimes that they stand for.
TARGETS = {"onnx": "onnxruntime", "openvino": "openvino"}

#: Exit code where the runtime that was asked for does not keep the contract.
BROKEN = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser)
    parser.add_argument(
        "--to", choices=list(TARGETS), required=True, help="what will score with the file"
    )
    parser.add_argument("--out", type=Path, required=True, help="the file, such as model.onnx")


def run(args: argparse.Namespace) -> int:
    """Convert, compare, write, and print the report."""
    from train.runtimes.export import exported, held, report_lines

    model = open_model(args)
    file = exported(model, TARGETS[args.to], args.model)
    file.save(args.out)
    for line in report_lines(file):
        print(f"{args.out}: {line}")
    if not held(file):
        print(f"{args.out}: {args.to} does not keep the contract", file=sys.stderr)
        return BROKEN
    return 0


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["export", *sys.argv[1:]]))
