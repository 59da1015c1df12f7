"""What a fit was asked to do: by it an interrupted or finished fit is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict

from stainless.config import plain
from stainless.files import encoded
from train.detectors.detector import Context, Metadata, Trainset


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
