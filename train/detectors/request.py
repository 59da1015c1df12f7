"""What a fit was asked to do: by it an interrupted or finished fit is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stainless.config import plain
from stainless.files import encoded
from train.detectors.detector import Context, Metadata, Trainset, method
from train.detectors.member_words import is_model_file


def describe(trainsets: Sequence[Trainset], context: Context) -> Metadata:
    """Describe, JSON-able, what a fit depends on beside method, settings and weights.

    Pictures count by their names and the number of their bytes, not by their folder: a dataset may
    move.
    """
    digest = hashlib.sha256()
    for trainset in trainsets:
        for sample in trainset.samples:
            digest.update(encoded(f"{trainset.name}/{sample.name} {sample.stamp()}\n"))
    ranges = context.augmentation
    return {
        "datasets": [trainset.name for trainset in trainsets],
        "images": [len(trainset.samples) for trainset in trainsets],
        "listing": digest.hexdigest(),
        "augment": plain(asdict(ranges)) if ranges is not None else None,
        "seed": context.seed,
        "base": context.base,
        **({"shuffle": True} if context.shuffle else {}),
    }


def member_files(name: str, settings: Any) -> Metadata:
    """Return the content of the model files that a method combines; nothing for any other method.

    A model that is made of files is another one when a file is.
    """
    if not method(name).combines:
        return {}
    paths = [Path(word) for word in settings.members if is_model_file(word)]
    return {
        "members": [
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
            for path in paths
        ]
    }
