"""Fuzz one reader for a while with atheris; `fuzzing.loop` runs it in a process of its own.

python -m fuzzing.one image CORPUS -max_total_time=60
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris
import yaml

#: Whose branches are counted.
OURS = ["stainless", "exchange", "render", "train"]

with atheris.instrument_imports(include=OURS):
    from fuzzing.mutation import Mutation
    from fuzzing.targets import attempt, targets


def _mutator(mutation: Mutation) -> Callable[[bytes, int, int], bytes]:
    """Return what changes a tree of values most times, and bytes otherwise."""

    def change(data: bytes, longest: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.7:
            try:
                changed = mutation(data, rng)
            except (ValueError, RecursionError, LookupError, TypeError, yaml.YAMLError):
                changed = b""
            if 0 < len(changed) <= longest:
                return changed
        return atheris.Mutate(data, longest)

    return change


def main() -> None:
    """Run libFuzzer; what is wrong ends the process, with the bytes beside the corpus."""
    name, *arguments = sys.argv[1:]
    target = targets()[name]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        target.prepare(folder)

        def once(data: bytes) -> None:
            attempt(target, folder, data)

        # Much is imported only when it is needed.
        with atheris.instrument_imports(include=OURS):
            for seed in target.seeds:
                once(seed)
        changed = _mutator(target.mutation) if target.mutation is not None else None
        # A merge starts itself again by its first argument.
        again = f"{sys.executable} -m fuzzing.one {name}"
        atheris.Setup([again, *arguments], once, custom_mutator=changed)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
