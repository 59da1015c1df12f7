"""Arguments and steps that several commands share."""

from __future__ import annotations

import argparse
import hashlib
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stainless.dataset_options import add_reading, reading
from stainless.errors import InputError
from stainless.files import replacing

if TYPE_CHECKING:
    from stainless.dataset import Sample
    from train.detectors.detector import Context
    from train.detectors.model_file import Model
    from train.metrics import Records


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add what opening a model needs."""
    parser.add_argument("--model", type=Path, required=True, help="a file made by fit or meld")
    parser.add_argument("--backbone", help="refuse a model of any other backbone")
    add_compute(parser)


def add_compute(parser: argparse.ArgumentParser) -> None:
    """Add where and with which weights features are computed."""
    parser.add_argument("--weights", type=Path, help="weight file of the backbone")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument(
        "--accelerator",
        choices=["openvino"],
        help="compute features with OpenVINO on the processor",
    )


def add_data(parser: argparse.ArgumentParser, categories: str | None = None) -> None:
    """Add what reading a dataset needs; `categories` is argparse's nargs."""
    parser.add_argument("--data", type=Path, required=True, help="root folder of the dataset")
    parser.add_argument("--category", required=True, nargs=categories, help="folder in it")
    add_reading(parser)


def add_hold_out(parser: argparse.ArgumentParser) -> None:
    """Add how a validation split is drawn where a dataset has none."""
    parser.add_argument(
        "--hold-out",
        type=float,
        metavar="FRACTION",
        help="for a dataset without a validation split: draw this share of the test split as one, "
        "whole groups (groups.csv) at a time; evaluate with the same fraction and seed as "
        "threshold judges the rest",
    )
    parser.add_argument(
        "--hold-out-seed",
        type=at_least(0),
        default=0,
        metavar="N",
        help="which draw (default: 0)",
    )


def labelled_split(args: argparse.Namespace) -> list[Sample]:
    """Read the split that --split names, from a divided test split if --hold-out is given.

    Raises:
        InputError: as `read_category` and `split_validation`, or the dataset has no validation
            part without --hold-out, or has one with it.
    """
    from stainless.dataset import has_validation, read_category, split_validation

    held = has_validation(args.data, args.category)
    if args.hold_out is None:
        if args.split == "validation" and not held and (args.data / args.category).is_dir():
            raise InputError(
                f"{args.data / args.category}: has no validation split; --hold-out 0.2 draws one "
                "from the test split"
            )
        return read_category(args.data, args.category, args.split, **reading(args))
    if held:
        raise InputError(
            f"--hold-out: {args.hold_out:g}, expected none: {args.data} has a validation split "
            f"of {args.category}"
        )
    if not 0 < args.hold_out < 1:
        raise InputError(f"--hold-out: {args.hold_out:g}, expected between 0 and 1")
    whole = read_category(args.data, args.category, "test", **reading(args))
    split = split_validation(whole, args.hold_out, args.hold_out_seed)
    print(split.how)
    return split.validation if args.split == "validation" else split.test


def at_least(least: int) -> Callable[[str], int]:
    """Return an argument's type: a whole number with a lower limit."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text}, expected a whole number") from None
        if value < least:
            raise argparse.ArgumentTypeError(f"{text}, expected at least {least}")
        return value

    return number


def check_folder(out: Path) -> None:
    """Refuse a folder of results that is none, before anything is computed.

    Raises:
        InputError: it is a file.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out: {out} is a file, expected a folder")


def fingerprints(category: str, samples: Sequence[Sample]) -> list[str]:
    """Return a few digits for each image by which it is known again: of its name and size."""
    described = (
        f"{category}/{sample.name} {sample.image.stat().st_size}".encode() for sample in samples
    )
    return [hashlib.sha256(text).hexdigest()[:16] for text in described]


def check_device(name: str) -> str:
    """Return the device if torch has it.

    Raises:
        InputError: it has not.
    """
    import torch

    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InputError(f"device {name!r}: torch cannot compute there on this machine") from None
    return name


def context_of(args: argparse.Namespace) -> Context:
    """Return where and with which weights a detector computes, from `add_compute`'s arguments.

    Raises:
        InputError: torch has no such device.
    """
    from train.detectors.detector import Context

    return Context(
        device=check_device(args.device), weights=args.weights, accelerator=args.accelerator
    )


def open_model(args: argparse.Namespace) -> Model:
    """Read the model, of any method, that the arguments of `add_model` name.

    Raises:
        InputError: not a model file, of a method, backbone or weights that are not at hand.
        OSError: the file cannot be read.
    """
    from train.detectors.model_file import read

    stored = read(args.model)
    found = stored.settings.get("backbone")
    if args.backbone not in (None, found):
        raise InputError(f"{args.model}: was fitted with {found}, not with {args.backbone}")
    return stored.open(context_of(args))


@contextmanager
def scored_records(
    model: Model, samples: Sequence[Sample], folder: Path, keep: bool = False
) -> Iterator[Records]:
    """Score samples and yield their records, the maps lying in files until the end.

    Args:
        model: scores the images.
        samples: what is scored.
        folder: where the maps are put, 4 bytes a pixel.
        keep: leave them there, as <folder>/maps/<sample name>.npy.
    """
    import numpy as np
    from tqdm import tqdm

    from train.metrics import read_records

    folder.mkdir(parents=True, exist_ok=True)
    maps = folder / "maps" if keep else Path(tempfile.mkdtemp(prefix=".maps.", dir=folder))
    try:
        for sample in tqdm(samples, desc="scoring", unit="image", disable=None, leave=False):
            try:
                score = model.detector.score([sample.load()])[0]
            except InputError as error:
                raise naming(sample.image, error) from None
            if score.map is None:
                raise InputError(f"a model of {model.method} gives no anomaly map")
            with replacing(maps / f"{sample.name}.npy") as beside:
                np.save(beside, score.map)
        yield read_records(samples, lambda sample: maps / f"{sample.name}.npy")
    finally:
        if not keep:
            shutil.rmtree(maps, ignore_errors=True)


def naming(path: Path, error: InputError) -> InputError:
    """Return the error with the file it is about in front, unless it says so itself."""
    return error if str(path) in str(error) else InputError(f"{path}: {error}")


def chosen_threshold(model: Model, args: argparse.Namespace) -> float:
    """Return --threshold, or the model's own for pixels.

    Raises:
        InputError: there is neither.
    """
    if args.threshold is not None and not math.isfinite(args.threshold):
        raise InputError(f"--threshold: {args.threshold}, expected a finite number")
    if args.threshold is not None:
        return float(args.threshold)
    if "pixel" not in model.thresholds:
        raise InputError(
            f"{args.model}: has no threshold; run `stainless threshold` or give --threshold"
        )
    return float(model.thresholds["pixel"]["value"])
