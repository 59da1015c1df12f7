"""Nominal pictures, one after the other, measured against the members of a model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from stainless.dataset import Sample
from stainless.errors import InputError
from stainless.files import pixel_hash
from train.detectors.covering import Covering
from train.patch_grid import Box, square

#: Side in pixels of what is shown of a patch and its surroundings.
AROUND = 48


@dataclass(frozen=True)
class Place:
    """The least covered patch of a picture.

    Attributes:
        name: of the picture.
        distance: from its nearest member.
        box: of the patch.
        shown: (AROUND, AROUND, 3) uint8 RGB, the patch with what lies around it.
    """

    name: str
    distance: float
    box: Box
    shown: np.ndarray


@dataclass(frozen=True)
class Coverage:
    """What was counted.

    Attributes:
        patches: all of them.
        covered: those within the radius.
        pictures: all of them.
        whole: those of which every patch is within the radius.
        farthest: largest distance of a patch.
        sha256: of the decoded pictures in their order, whatever they are named (hex).
        least: the least covered patches, at most one a picture, the farthest first.
    """

    patches: int
    covered: int
    pictures: int
    whole: int
    farthest: float
    sha256: str
    least: Sequence[Place]


def measure(
    detector: Covering, samples: Iterable[Sample], radius: float, shown: int = 24
) -> Coverage:
    """Return how much of pictures lies within a distance of a detector's members.

    One picture is held at a time, so that memory does not depend on their number.

    Args:
        detector: whose members.
        samples: nominal pictures, at least one.
        radius: a patch is covered up to this distance.
        shown: how many places are kept at most.

    Raises:
        InputError: a picture that cannot be used; names its file.
    """
    digest = hashlib.sha256()
    patches = covered = pictures = whole = 0
    least: list[Place] = []
    for sample in tqdm(samples, desc="measuring", unit="image", disable=None, leave=False):
        image = sample.load()
        digest.update(bytes.fromhex(pixel_hash(image)))
        try:
            distances = detector.member_distances(image)
        except InputError as error:
            raise InputError(f"{sample.image}: {error}") from None
        within = int((distances <= radius).sum())
        patches += distances.size
        covered += within
        pictures += 1
        whole += within == distances.size
        least.append(_least(detector, sample.name, image, distances))
        least.sort(key=lambda place: (-place.distance, place.name))
        # The first one is the farthest of all, also where none is to be shown.
        del least[max(shown, 1) :]
    return Coverage(
        patches, covered, pictures, whole, least[0].distance, digest.hexdigest(), least[:shown]
    )


def _least(detector: Covering, name: str, image: np.ndarray, distances: np.ndarray) -> Place:
    grid = detector.patch_grid
    row, column = divmod(int(distances.argmax()), distances.shape[1])
    x, y = grid.first + column * grid.pitch, grid.first + row * grid.pitch
    box = grid.box(row, column)
    return Place(name, float(distances[row, column]), box, square(image, x, y, AROUND))
