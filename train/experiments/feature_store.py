"""Features of pictures, computed once and kept on disk while an experiment runs."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stainless.dataset import Sample
from stainless.errors import InputError
from stainless.files import replacing
from train.detectors.detector import FeatureScoring
from train.detectors.detector import method as detector_method
from train.experiments.experiment import MethodEntry
from train.experiments.keys import content, digest
from train.feature_settings import Features
from train.features import FeatureExtractor


class FeatureStore:
    """Features of pictures as they are, by the content of the picture.

    Args:
        extractor: computes what is not kept.
        folder: where they are kept; None keeps nothing.
    """

    def __init__(self, extractor: FeatureExtractor, folder: Path | None) -> None:
        self.extractor = extractor
        self._folder = folder / digest(extractor.identity()) if folder is not None else None

    def __call__(self, sample: Sample) -> Tensor:
        """Return the (h, w, D) float32 features of a picture.

        Raises:
            InputError: the picture cannot be used.
        """
        path = None
        if self._folder is not None:
            path = self._folder / f"{content(sample.image)}.npy"
            if path.is_file():
                return torch.from_numpy(np.load(path, allow_pickle=False))
        picture = torch.from_numpy(sample.load()).permute(2, 0, 1)[None]
        try:
            features = self.extractor(picture)[0]
        except InputError as error:
            raise InputError(f"{sample.image}: {error}") from None
        if path is not None:
            with replacing(path) as beside:
                np.save(beside, features.cpu().numpy())
        return features


#: What an extractor is made of, and the device: equal ones share a store.
Options = tuple[Features, str]


def options_of(method: MethodEntry, device: str) -> Options | None:
    """Return what the extractor of a method is made of; None for one that scores no features."""
    if not issubclass(detector_method(method.detector).load(), FeatureScoring):
        return None
    features: Features = method.settings.features
    return features, device


@lru_cache
def store(options: Options, folder: Path | None) -> FeatureStore:
    """Return the store of an extractor, one for all who ask in this process.

    Raises:
        InputError: an unknown backbone, or one without weights.
    """
    features, device = options
    return FeatureStore(FeatureExtractor.of(features, device=device), folder)


def store_of(method: MethodEntry, device: str, folder: Path | None) -> FeatureStore | None:
    """Return the store of a method's features; None for one that scores no features."""
    options = options_of(method, device)
    return store(options, folder) if options is not None else None


def bytes_needed(extractor: FeatureExtractor, sizes: Mapping[Path, tuple[int, int]]) -> int:
    """Return how much disk the features of pictures take, given their heights and widths."""
    pitch, numbers = extractor.pitch, extractor.dimension
    ceil = math.ceil
    return sum(ceil(h / pitch) * ceil(w / pitch) * numbers * 4 for h, w in sizes.values())


def extract(samples: Sequence[Sample], options: Options, folder: Path) -> None:
    """Keep the features of some pictures."""
    keep = store(options, folder)
    for sample in samples:
        keep(sample)


def remove(folder: Path) -> None:
    """Remove what stores in a folder have kept."""
    shutil.rmtree(folder, ignore_errors=True)
