"""Fit a detector to the nominal images of one or more categories, or finetune one.

The model is saved after every epoch; the same command continues an interrupted fit.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stainless.errors import InputError
from train.commands.common import add_compute, add_data, at_least, check_device

if TYPE_CHECKING:
    from train.detectors.sequential_patchcore.model import Detector

#: As `train.detectors.sequential_patchcore.coreset.SIZE`, which is too heavy to import for --help.
SIZE = 2048


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_data(parser, categories="+")
    parser.add_argument("--out", type=Path, required=True, help="model file to write")
    parser.add_argument(
        "--from", dest="base", type=Path, metavar="MODEL", help="finetune this model"
    )
    parser.add_argument(
        "--size", type=at_least(2), help=f"members of the coreset (default: {SIZE})"
    )
    parser.add_argument(
        "--epochs", type=at_least(1), default=10, help="largest number (default: 10)"
    )
    parser.add_argument("--augment", action="store_true", help="vary the images in every epoch")
    parser.add_argument(
        "--seed", type=at_least(0), default=0, help="of the augmentation (default: 0)"
    )
    parser.add_argument("--backbone", help="default: efficientnet_lite0, or that of --from")
    parser.add_argument("--stages", type=int, nargs="+", help="default: 3 4")
    parser.add_argument("--pool-kernel", type=int, help="averaged patches per side (default: 3)")
    parser.add_argument("--pool-stride", type=int, help="distance of patches (default: 1)")
    add_compute(parser)


def run(args: argparse.Namespace) -> int:
    """Fit and save."""
    import hashlib

    from stainless.dataset import read_category
    from train.augment import Ranges
    from train.detectors.sequential_patchcore.fitting import Settings, Trainset, fit, is_same_fit

    for category in args.category:
        if args.category.count(category) > 1:
            raise InputError(f"--category: {category} is given twice, expected each name once")
    trainsets = [
        Trainset(category, read_category(args.data, category, "train", args.classes))
        for category in args.category
    ]
    base = hashlib.sha256(args.base.read_bytes()).hexdigest() if args.base is not None else None
    settings = Settings(args.epochs, Ranges() if args.augment else None, args.seed, base)
    if args.base is not None and args.out.exists() and args.out.samefile(args.base):
        raise InputError(f"{args.out}: --out must not be the model that is finetuned")
    resumed = args.out.exists()
    if resumed:
        detector = _open(args, args.out)
        if not is_same_fit(detector.coreset, trainsets, settings):
            raise InputError(f"{args.out}: is of another fit; remove it or choose another --out")
    elif args.base is not None:
        detector = _open(args, args.base)
    else:
        detector = _new(args)
    if not fit(detector, trainsets, settings, args.out, lambda line: print(line, flush=True)):
        print(f"{args.out}: this fit is finished already; more --epochs would continue it")
    coreset = detector.coreset
    if len(coreset) < coreset.size:
        print(
            f"{args.out}: has {len(coreset)} members, fewer than its size of {coreset.size}: these "
            "images hold no more patches that differ",
            file=sys.stderr,
        )
    return 0


def _new(args: argparse.Namespace) -> Detector:
    from train.detectors.sequential_patchcore.coreset import Coreset
    from train.detectors.sequential_patchcore.model import Detector
    from train.features import FeatureExtractor

    extractor = FeatureExtractor(**_asked(args), **_compute(args))
    size = args.size if args.size is not None else SIZE
    coreset = Coreset(
        size, dimension=extractor.dimension, identity=extractor.identity(), device=args.device
    )
    return Detector(extractor, coreset)


def _open(args: argparse.Namespace, path: Path) -> Detector:
    from train.detectors.sequential_patchcore.model import Detector

    detector = Detector.load(path, **_compute(args))
    for key, value in _asked(args).items():
        detector.coreset.require({**detector.coreset.identity, key: value}, str(path))
    if args.size not in (None, detector.coreset.size):
        raise InputError(
            f"{path}: has {detector.coreset.size} members, not {args.size}; meld changes the size"
        )
    return detector


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    names = ("backbone", "stages", "pool_kernel", "pool_stride")
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _compute(args: argparse.Namespace) -> dict[str, Any]:
    device = check_device(args.device)
    return {"weights": args.weights, "device": device, "accelerator": args.accelerator}


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["fit", *sys.argv[1:]]))
