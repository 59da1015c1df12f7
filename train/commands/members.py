"""List what a model has learned from by classes, and let classes count more or less.

A class is what lay where a patch was seen (`bare` for nothing), with how its picture was made:
rendered, photograph, or unknown. With --weigh, a model is written in which the distance to members
of a class counts 1 / weight times; it has no threshold.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stainless.errors import InputError
from train.commands.common import at_least

COLUMNS = ("class", "made", "members", "weight", "decisions on others", "seen in")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--model", type=Path, required=True, help="a file made by fit or meld")
    parser.add_argument(
        "--weigh",
        nargs="+",
        metavar="CLASS=WEIGHT",
        help="0.5 lets the class's members be twice as far away, 0 lets them count for nothing, 1 "
        "ends it; CLASS may be rendered or photograph; several weights of a member are multiplied",
    )
    parser.add_argument("--out", type=Path, help="model file to write, with --weigh")
    parser.add_argument("--rows", type=at_least(1), help="list no more than the largest classes")


def run(args: argparse.Namespace) -> int:
    """List the classes; with --weigh write a model first."""
    from train.detectors.detector import Context
    from train.detectors.model_file import Model

    if (args.weigh is None) != (args.out is None):
        raise InputError("--weigh: expected together with --out, the model file to write")
    model = Model.load(args.model, Context(scores=False))
    detector = model.remembering()
    if args.weigh is not None:
        refuse_same(args.model, args.out)
        detector.weigh(dict(_weight(text) for text in args.weigh))
        had_threshold = bool(model.thresholds)
        model.thresholds.clear()
        model.save(args.out)
        if had_threshold:
            tell_of_thresholds(args.out)
    rows = detector.members()
    if [row["class"] for row in rows] == ["unknown"] and rows[0]["made"] == "unknown":
        print(f"{args.model}: {UNNAMED}", file=sys.stderr)
    print(table(rows[: args.rows]))
    return 0


#: What is told of a model whose members do not know what they are.
UNNAMED = (
    "its members do not know what lay there: it is of an older version, of pictures alone, or "
    "stripped of its provenance"
)


def refuse_same(model: Path, out: Path) -> None:
    """Refuse to write over the model that is read, or over what is no model.

    Raises:
        InputError: the file is the model, or somebody's.
    """
    from train.detectors.model_file import read

    if out.exists() and out.samefile(model):
        raise InputError(f"{out}: is the model itself, expected another file")
    if out.exists():
        read(out)


def tell_of_thresholds(path: Path) -> None:
    """Say that a model has no threshold any more."""
    print(f"{path}: has no threshold, since its scores are others: fit it anew", file=sys.stderr)


def table(rows: list[dict]) -> str:
    """Return what `Remembering.members` returns as a table."""
    lines = [
        (
            row["class"],
            row["made"],
            str(row["members"]),
            f"{row['weight']:g}",
            "not recorded" if row["hinged"] is None else f"{row['hinged']:,}",
            ", ".join(f"{name} {count}" for name, count in row["datasets"].items()),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *lines, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in (COLUMNS, *lines)
    )


def _weight(text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        return name, float(number)
    except ValueError:
        raise InputError(f"--weigh: {text}, expected CLASS=WEIGHT") from None


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["members", *sys.argv[1:]]))
