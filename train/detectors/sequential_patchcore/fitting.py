"""Fitting: images one by one through the extractor into the coreset, epoch after epoch.

No more than one image is held, so memory does not depend on their number. The model is saved after
every epoch; a run that was interrupted continues there and ends with the same members, because an
epoch is a function of the coreset before it, the images and the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from tqdm import tqdm

from stainless.dataset import Sample, image_size
from stainless.errors import InputError
from train.augment import Augmentation, Ranges, augment, draw
from train.detectors.sequential_patchcore.coreset import Coreset, Epoch
from train.detectors.sequential_patchcore.model import Detector
from train.patch_grid import GRID_WIDTH

#: The random stream of the order of images.
ORDER = 0


@dataclass(frozen=True)
class Trainset:
    """Nominal images of one category."""

    name: str
    samples: Sequence[Sample]


@dataclass(frozen=True)
class Settings:
    """What a fit depends on beside the images and the extractor.

    Attributes:
        epochs: largest number of passes; fewer if one of them changes nothing.
        augment: what to draw augmentations from; None for the images as they are.
        seed: of the augmentation and of the order.
        shuffle: show the images in an order of their own to each seed, the same in every epoch.
        base: SHA-256 of the model that is finetuned; None for a fit from nothing.
    """

    epochs: int = 10
    augment: Ranges | None = None
    seed: int = 0
    base: str | None = None
    shuffle: bool = False

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.seed < 0:
            raise InputError(
                f"epochs {self.epochs}, seed {self.seed}: expected at least 1 and at least 0"
            )


def fit(
    detector: Detector,
    trainsets: Sequence[Trainset],
    settings: Settings,
    path: Path | None = None,
    report: Callable[[str], None] = print,
    features: Callable[[Sample], Tensor] | None = None,
) -> bool:
    """Fit a detector's coreset, in place, continuing where an earlier run stopped.

    Args:
        detector: with an empty coreset, one to finetune, or one that `path` held.
        trainsets: concatenated in this order.
        settings: of the fit.
        path: where the model is saved after every epoch; None to save nothing.
        report: receives a line per epoch.
        features: (h, w, D) of an image as it is, from where they are kept; None computes them.

    Returns:
        Whether anything was left to do.

    Raises:
        InputError: untrained features, or an image that cannot be used.
        OSError: the model cannot be saved.
    """
    if detector.extractor.untrained:
        raise InputError("random weights only serve to measure speed; a fit needs trained ones")
    coreset = detector.coreset
    request = _request(trainsets, settings)
    done = epochs_done(coreset, request)
    if done is None:
        coreset.history.append({"event": "fit", "request": request})
        done = []
    if _finished(done, settings):
        return False
    for number in range(len(done), settings.epochs):
        _run_epoch(detector, trainsets, settings, number, features)
        epoch = coreset.end_epoch()
        if path is not None:
            coreset.save(path)
        report(_line(epoch, settings))
        if epoch.converged:
            break
    return True


def epochs_done(coreset: Coreset, request: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the epochs of this very fit that a coreset has behind it, None if it is new to it."""
    history = coreset.history
    starts = [number for number, event in enumerate(history) if event["event"] == "fit"]
    if not starts or history[starts[-1]]["request"] != request:
        return None
    return [event for event in history[starts[-1] :] if event["event"] == "epoch"]


def is_same_fit(coreset: Coreset, trainsets: Sequence[Trainset], settings: Settings) -> bool:
    """Whether a saved coreset comes from a run of the same fit, finished or not."""
    return epochs_done(coreset, _request(trainsets, settings)) is not None


def _finished(done: Sequence[dict[str, Any]], settings: Settings) -> bool:
    if len(done) >= settings.epochs:
        return True
    return bool(done) and done[-1]["added"] == 0 and done[-1]["replacements"] == 0


def _request(trainsets: Sequence[Trainset], settings: Settings) -> dict[str, Any]:
    """Describe a fit; the number of epochs is left out, so that more of them can follow."""
    digest = hashlib.sha256()
    for trainset in trainsets:
        for sample in trainset.samples:
            size = sample.image.stat().st_size
            digest.update(f"{trainset.name}/{sample.name} {size}\n".encode())
    return {
        "datasets": [trainset.name for trainset in trainsets],
        "images": [len(trainset.samples) for trainset in trainsets],
        "listing": digest.hexdigest(),
        "augment": _plain(asdict(settings.augment)) if settings.augment is not None else None,
        "seed": settings.seed,
        "base": settings.base,
        **({"shuffle": True} if settings.shuffle else {}),
    }


def _plain(ranges: dict[str, Any]) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in ranges.items()}


def _run_epoch(
    detector: Detector,
    trainsets: Sequence[Trainset],
    settings: Settings,
    number: int,
    kept: Callable[[Sample], Tensor] | None,
) -> None:
    coreset = detector.coreset
    sources = [
        coreset.sources.add(trainset.name, [sample.name for sample in trainset.samples])
        for trainset in trainsets
    ]
    coreset.start_epoch()
    work = [
        (source, index, sample)
        for source, trainset in zip(sources, trainsets, strict=True)
        for index, sample in enumerate(trainset.samples)
    ]
    progress = tqdm(
        _order(settings, len(work)),
        desc=f"epoch {number + 1}",
        unit="image",
        disable=None,
        leave=False,
    )
    for place in progress:
        source, index, sample = work[place]
        how = Augmentation()
        if settings.augment is not None:
            how = draw(settings.augment, settings.seed, place, number)
        if kept is not None and settings.augment is None:
            features, size = kept(sample), image_size(sample.image)
        else:
            image = sample.load()
            if settings.augment is not None:
                image = augment(image, how)
            features, size = (
                detector.features_of(image, sample.image),
                (image.shape[0], image.shape[1]),
            )
        rows, columns, dimension = features.shape
        origin = np.empty((rows * columns, 3), np.int32)
        origin[:, :2] = source, index
        origin[:, 2] = _positions(detector, rows, columns, size, how)
        coreset.update(features.view(-1, dimension), origin)


def _order(settings: Settings, count: int) -> list[int]:
    """Return in which order the images are shown."""
    if not settings.shuffle:
        return list(range(count))
    # Augmentation draws with three keys: (image, epoch, purpose).
    sequence = np.random.SeedSequence(settings.seed, spawn_key=(ORDER,))
    return np.random.default_rng(sequence).permutation(count).tolist()


def _positions(
    detector: Detector, rows: int, columns: int, size: tuple[int, ...], how: Augmentation
) -> np.ndarray:
    """Return the position of each patch in the picture as it is stored, before any flip."""
    grid = detector.extractor.grid

    def places(cells: int, pixels: int, flipped: bool) -> np.ndarray:
        centres = grid.centres(cells)
        if flipped:
            centres = pixels - 1 - centres
        return grid.cells(centres, cells)

    down = places(rows, size[0], how.flip_vertical)
    across = places(columns, size[1], how.flip_horizontal)
    return (down[:, None] * GRID_WIDTH + across).ravel()


def _line(epoch: Epoch, settings: Settings) -> str:
    if settings.augment is None:
        return str(epoch)
    line = str(epoch).partition("; certified")[0]
    return line + "; no certificate, since every epoch sees other pictures"
