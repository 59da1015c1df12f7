"""Features of pictures, computed once and kept on disk while an experiment runs."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stainless.dataset import Sample
from stainless.files import replacing
from train.features import FeatureExtractor


def content(path: Path) -> str:
    """Return the SHA-256 of a file's bytes (hex)."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(facts: Any) -> str:
    """Return a short name for JSON-able facts: equal for equal ones."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:20]


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
        features = self.extractor(picture)[0]
        if path is not None:
            with replacing(path) as beside:
                np.save(beside, features.cpu().numpy())
        return features


def bytes_needed(extractor: FeatureExtractor, sizes: Mapping[Path, tuple[int, int]]) -> int:
    """Return how much disk the features of pictures take, given their heights and widths."""
    pitch, numbers = extractor.pitch, extractor.dimension
    return sum(-(-h // pitch) * -(-w // pitch) * numbers * 4 for h, w in sizes.values())


def remove(folder: Path) -> None:
    """Remove what stores in a folder have kept."""
    shutil.rmtree(folder, ignore_errors=True)
