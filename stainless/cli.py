"""The console script `stainless`: one sub-command per job, each imported when it is called."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from stainless.errors import InputError, guarded

#: Sub-command: the module with its `add_arguments` and `run`, and what it is for. A module with
#: `print_keys` has typed keys beside its options: `run` finds what else was given in `args.rest`.
COMMANDS = {
    "fit": ("train.commands.fit", "learn what nominal pictures look like"),
    "methods": ("train.commands.methods", "list what `fit --method` knows"),
    "meld": ("train.commands.meld", "make one model of several"),
    "members": ("train.commands.members", "list what a model has learned from, by classes"),
    "forget": ("train.commands.forget", "take classes out of what a model has learned"),
    "strip": ("train.commands.strip", "take names and pictures out of a model file"),
    "cover": ("train.commands.cover", "certify how much of nominal pictures a model covers"),
    "threshold": ("train.commands.threshold", "find the threshold of a model"),
    "calibrate": ("train.commands.calibrate", "let a model say how probable a defect is"),
    "promise": ("train.commands.promise", "try a guarantee on the good pictures of an evaluation"),
    "evaluate": ("train.commands.evaluate", "measure a model on labelled pictures"),
    "score": ("train.commands.score", "inspect pictures: anomaly maps, regions, verdicts"),
    "export": ("train.commands.export", "make one file of a model for ONNX Runtime or OpenVINO"),
    "verify": ("train.commands.verify", "compare an exported file with PyTorch, on this machine"),
    "export-coco": ("exchange.coco", "write a split of a dataset as a COCO file"),
    "export-labelme": ("exchange.labelme", "write a split of a dataset as LabelMe files"),
    "gallery": ("exchange.gallery", "write pages to browse a dataset with"),
    "report": ("train.commands.report", "write the report of an experiment anew"),
}

#: Sub-command with a parser of its own: its module, whose `run` takes the rest of the line.
FORWARDED = {
    "render": ("render.generate", "render a dataset of parts, with labels"),
    "experiment": ("train.commands.experiment", "compare methods, from the datasets to a report"),
    "pod": ("train.commands.pod", "measure the probability of detection of flaws by their size"),
}


class Parser(argparse.ArgumentParser):
    """Reports a wrong command line as any other bad input: in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        raise InputError(f"{message}; see {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in FORWARDED:
        module = FORWARDED[words[0]][0]
        return guarded(lambda: import_module(module).run(words[1:]))
    return guarded(lambda: _run(words))


def _run(words: list[str]) -> int:
    parser = Parser(
        prog="stainless",
        description="Synthetic data for surface inspection, and anomaly detectors.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (_, purpose) in {**COMMANDS, **FORWARDED}.items():
        # A key of a method may be the beginning of an option's name.
        command = commands.add_parser(name, help=purpose, allow_abbrev=False)
        if words and words[0] == name:
            module = import_module(COMMANDS[name][0])
            if "--keys" in words and hasattr(module, "print_keys"):
                module.print_keys(words[1:])
                return 0
            command.description = module.__doc__
            module.add_arguments(command)
    args, rest = parser.parse_known_args(words)
    module = import_module(COMMANDS[args.command][0])
    if rest and not hasattr(module, "print_keys"):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    args.rest = rest
    return module.run(args)


if __name__ == "__main__":
    sys.exit(main())
