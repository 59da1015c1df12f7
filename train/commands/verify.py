"""Verify on this machine that an exported file gives the scores and verdicts of PyTorch.

Without --model, the file's own reference pictures are scored and compared with the scores that
PyTorch gave them when the file was made; of --data, what the runtimes of this machine say is then
compared among them. With --model, pictures of --data are scored by PyTorch as well, whole or in
random crops of many sizes (--crops). The exit code is 1 where scores lie farther apart than
1e-5 + 1e-4 of themselves, or any verdict differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stainless.dataset_options import add_white_level
from stainless.errors import InputError
from train.commands.common import add_compute, at_least, context_of

if TYPE_CHECKING:
    from train.detectors.detector import Detector
    from train.detectors.model_file import Model
    from train.runtimes.contract import Comparison

#: Exit code where the contract is broken.
BROKEN = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", type=Path, help="a file made by export")
    parser.add_argument("--data", type=Path, nargs="+", help="pictures, or folders of them")
    parser.add_argument("--model", type=Path, help="the model that the file was made of")
    parser.add_argument("--runtime", help="what scores (default: what the file was exported to)")
    parser.add_argument(
        "--crops", type=at_least(1), help="compare as many random crops instead of whole pictures"
    )
    parser.add_argument(
        "--crop-px",
        type=at_least(1),
        nargs=2,
        default=[96, 160],
        metavar=("LEAST", "MOST"),
        help="shortest and longest side of a crop (default: 96 160)",
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="of the crops (default: 0)")
    add_white_level(parser)
    add_compute(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, and print how far scores lie apart."""
    from train.runtimes.contract import Comparison
    from train.runtimes.detector import ExportedDetector, open_exported
    from train.runtimes.references import pictures
    from train.verdicts.decision import decide

    if args.model is not None and args.data is None:
        raise InputError("--model: needs pictures to compare on, give --data")
    if args.crops is not None and args.data is None:
        raise InputError("--crops: needs pictures to take them from, give --data")
    if args.crop_px[0] > args.crop_px[1]:
        shown = " ".join(map(str, args.crop_px))
        raise InputError(f"--crop-px: {shown}, expected the shorter side first")
    model = open_exported(args.file, args.runtime)
    detector = model.detector
    assert isinstance(detector, ExportedDetector)
    decision = decide(model.thresholds)
    comparison = Comparison(decision)
    for picture, expected in pictures(detector.file.references):
        (score,) = detector.score([picture])
        comparison.add_peak(expected, score)
    name = f"{detector.engine.name} {detector.engine.version()}"
    print(f"{args.file}: {name}, reference pictures: {comparison.line()}")
    comparisons = [comparison]
    if args.data is not None:
        other, title = _other(args, detector)
        comparison = Comparison(decision)
        _compare(args, model, other, comparison)
        print(f"{args.file}: {name}, beside {title}: {comparison.line()}")
        comparisons.append(comparison)
    return 0 if all(compared.held for compared in comparisons) else BROKEN


def _other(args: argparse.Namespace, detector: Detector) -> tuple[Detector, str]:
    """Return what the scores of pictures are compared with, and its name.

    Raises:
        InputError: the model is not what the file was made of, or there is nothing to compare with.
    """
    from train.runtimes.detector import ExportedDetector
    from train.runtimes.engine import engines

    assert isinstance(detector, ExportedDetector)
    if args.model is None:
        for engine in engines().values():
            if engine.installed and engine is not detector.engine:
                return ExportedDetector(detector.file, engine), engine.name
        raise InputError(
            "--data: this machine has one runtime, and nothing to compare its scores with; give "
            "--model"
        )
    import hashlib

    from train.detectors.model_file import read

    made_of = detector.file.model
    if made_of not in (None, hashlib.sha256(args.model.read_bytes()).hexdigest()):
        raise InputError(f"{args.model}: is not the model that {args.file} was made of")
    return read(args.model).open(context_of(args)).detector, f"PyTorch, {args.model}"


def _compare(
    args: argparse.Namespace, model: Model, other: Detector, comparison: Comparison
) -> None:
    """Compare the scores of all pictures."""
    from tqdm import tqdm

    from stainless.dataset import GOOD, Sample
    from train.runtimes.crops import crops
    from train.scored_names import named_pictures
    from train.scoring import at_models_depth, score_picture

    named = named_pictures(args.data)
    samples = at_models_depth(
        model,
        [
            Sample(path, GOOD, None, name, name, white_level=args.white_level)
            for name, path in named.items()
        ],
    )
    if args.crops is None:
        for sample in tqdm(samples, unit="image", disable=None, leave=False):
            image = sample.load()
            expected = score_picture(other, sample, image)
            comparison.add(expected, score_picture(model.detector, sample, image))
        return
    progress = tqdm(total=args.crops, unit="crop", disable=None, leave=False)
    for batch in crops(samples, args.crops, tuple(args.crop_px), args.seed):
        expected_scores, found = other.score(batch), model.detector.score(batch)
        for expected, score in zip(expected_scores, found, strict=True):
            comparison.add(expected, score)
        progress.update(len(batch))
    progress.close()


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["verify", *sys.argv[1:]]))
