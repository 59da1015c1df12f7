"""Arguments that several commands share, and the model that they open."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from stainless.errors import InputError

if TYPE_CHECKING:
    from train.detectors.detector import Context
    from train.detectors.model_file import Model


def add_model(parser: argparse.ArgumentParser, exported: bool = False) -> None:
    """Add what opening a model needs.

    Args:
        exported: whether it may be an exported one, which only scores.
    """
    made_by = "fit, meld or export" if exported else "fit or meld"
    parser.add_argument("--model", type=Path, required=True, help=f"a file made by {made_by}")
    if exported:
        parser.add_argument(
            "--runtime",
            help="what scores with an exported model: onnxruntime or openvino (default: what it "
            "was exported to)",
        )
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
    from train.runtimes.exported_file import is_exported

    if is_exported(args.model):
        return _open_exported(args)
    if getattr(args, "runtime", None) is not None:
        raise InputError(
            f"--runtime: {args.runtime}, but {args.model} is no file of `stainless export`"
        )
    stored = read(args.model)
    found = stored.settings.get("backbone")
    if args.backbone not in (None, found):
        raise InputError(f"{args.model}: was fitted with {found}, not with {args.backbone}")
    return stored.open(context_of(args))


def _open_exported(args: argparse.Namespace) -> Model:
    """Read an exported model; needs no torch.

    Raises:
        InputError: the command does more than scoring, an option is about PyTorch, or the file or
            the runtime cannot be used.
    """
    from train.runtimes.detector import open_exported

    if not hasattr(args, "runtime"):
        raise InputError(f"{args.model}: is an exported model, expected one made by fit or meld")
    for option, default in (("weights", None), ("accelerator", None), ("device", "cpu")):
        value = getattr(args, option)
        if value != default:
            raise InputError(
                f"--{option}: {value}, but {args.model} is an exported model, which holds its "
                "weights; see --runtime"
            )
    model = open_exported(args.model, args.runtime)
    found = model.settings.get("backbone")
    if args.backbone not in (None, found):
        raise InputError(f"{args.model}: was fitted with {found}, not with {args.backbone}")
    return model
