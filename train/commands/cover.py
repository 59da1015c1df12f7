"""Certify which share of nominal pictures' patches a model covers, before it inspects.

A patch is covered if its nearest member is no farther than the radius: d_m of the coreset, within
which the rule turns patches away since a member stands for them (of a melded one the largest d_m of
its sources, too), or --radius. certificate.json holds the hashes of model and pictures, the counts
and the shares with their intervals; least_covered.png shows the least covered patch of each of the
worst pictures. The exit code is 1 where the share of patches is below --at-least.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stainless.dataset_options import counted, reading
from stainless.errors import InputError
from train.commands.common import add_model, at_least, open_model
from train.commands.splits import add_data, add_hold_out, labelled_split

if TYPE_CHECKING:
    from stainless.dataset import Sample

CERTIFICATE, SHEET = "certificate.json", "least_covered.png"

REFUSED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser)
    add_data(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the certificate")
    parser.add_argument(
        "--split",
        choices=["train", "validation", "test"],
        default="train",
        help="whose good pictures are measured (default: train)",
    )
    parser.add_argument(
        "--at-least", type=float, metavar="SHARE", help="of patches, from 0 to 1; below, exit 1"
    )
    parser.add_argument(
        "--radius", type=float, metavar="DISTANCE", help="of features (default: the model's d_m)"
    )
    parser.add_argument(
        "--shown",
        type=at_least(1),
        default=24,
        metavar="N",
        help="pictures whose least covered patch is shown, at most (default: 24)",
    )
    add_hold_out(
        parser,
        "measure the share of the train split that fit was given to keep from learning, or one of "
        "the test split",
    )


def run(args: argparse.Namespace) -> int:
    """Measure, write, and say whether that is enough."""
    import hashlib
    from dataclasses import replace

    import cv2

    from stainless.files import json_text
    from stainless.own_files import OwnFiles
    from train.coverage.certificate import Certificate
    from train.coverage.coverage import measure
    from train.coverage.sheet import sheet
    from train.detectors.covering import Covering
    from train.scoring import at_models_depth

    _check(args)
    own = OwnFiles(args.out, "cover")
    own.require([CERTIFICATE, SHEET])
    samples = _nominal(args)
    model = open_model(args)
    if not isinstance(model.detector, Covering):
        raise InputError(
            f"{args.model}: a model of {model.method} has no members that cover anything, "
            "expected one of a method with a coreset, such as sequential_patchcore"
        )
    radius = model.detector.radius()
    if args.radius is not None:
        radius = replace(radius, value=args.radius, meaning="given by --radius", caution=None)
    samples = at_models_depth(model, samples)
    found = measure(model.detector, samples, radius.value, args.shown)
    digest = hashlib.sha256(args.model.read_bytes()).hexdigest()
    certificate = Certificate(
        digest, model.method, args.category, args.split, radius, found, args.at_least
    )
    done, picture = cv2.imencode(".png", sheet(found.least, radius.value)[..., ::-1])
    assert done
    own.write_bytes(SHEET, picture.tobytes())
    own.write_text(CERTIFICATE, json_text(certificate.record()))
    print("\n".join(certificate.lines()))
    if radius.caution is not None:
        print(f"warning: {radius.caution}", file=sys.stderr)
    print(counted(f"{args.data / args.category}: {args.split}", samples), file=sys.stderr)
    return REFUSED if certificate.accepted is False else 0


def _check(args: argparse.Namespace) -> None:
    """Refuse numbers that mean nothing.

    Raises:
        InputError: names the option.
    """
    if args.at_least is not None and not 0 <= args.at_least <= 1:
        raise InputError(f"--at-least: {args.at_least:g}, expected 0 to 1")
    if args.radius is not None and not (math.isfinite(args.radius) and args.radius > 0):
        raise InputError(f"--radius: {args.radius:g}, expected a finite distance above 0")


def _nominal(args: argparse.Namespace) -> list[Sample]:
    """Return the good pictures of the split.

    Raises:
        InputError: there are none, or as `labelled_split`.
    """
    from stainless.dataset import read_category

    if args.split == "train" and args.hold_out is None:
        samples = read_category(args.data, args.category, "train", **reading(args))
    else:
        samples = labelled_split(args)
    good = [sample for sample in samples if sample.is_good]
    if not good:
        raise InputError(
            f"{args.data / args.category}: the {args.split} split has no good picture, expected one"
        )
    return good


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["cover", *sys.argv[1:]]))
