"""What is on a test picture, what a method says of it pixel by pixel, and both as an overlay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from stainless.dataset import (
    AnnotationClass,
    Sample,
    load_annotation,
    load_ignore,
    load_mask,
)
from stainless.dataset.layouts import Loco
from stainless.dataset.masks import load_binary
from train.report.results import Image, Results

#: RGB. Found, false positive, false positive on an impurity, missed.
FOUND, FALSE, IMPURITY, MISSED = (22, 178, 84), (230, 38, 44), (255, 150, 20), (36, 100, 255)
#: RGB of the ground truth's own picture: defects, impurities.
LABELLED = ((240, 228, 66), (170, 120, 255))
OPACITY = 0.6


@dataclass(frozen=True)
class Marked:
    """A test picture with its ground truth.

    Attributes:
        picture: (H, W, 3) uint8 RGB.
        defect: (H, W) bool, pixels of defects that count.
        ignored: (H, W) bool, pixels that count for nothing.
        classes: (H, W) uint8 class index, 0 for none.
        instances: (H, W) uint16 instance index.
        names: the class of each index.
    """

    picture: np.ndarray
    defect: np.ndarray
    ignored: np.ndarray
    classes: np.ndarray
    instances: np.ndarray
    names: dict[int, AnnotationClass]

    def of_class(self, name: str) -> np.ndarray:
        """Return the pixels of a class as (H, W) bool."""
        indices = [known.index for known in self.names.values() if known.name == name]
        return np.isin(self.classes, indices) & ~self.ignored

    @property
    def impurity(self) -> np.ndarray:
        """Pixels of impurities, (H, W) bool."""
        indices = [known.index for known in self.names.values() if known.kind == "impurity"]
        return np.isin(self.classes, indices) & ~self.ignored


def load_marked(image: Image, results: Results) -> Marked:
    """Read a test picture and its ground truth.

    Raises:
        InputError: a file is missing, damaged or does not fit the picture.
    """
    kinds = results["classes"]
    classes = tuple(
        AnnotationClass(index, name, kinds.get(name, "defect"))
        for name, index in results["class_index"].items()
    )
    mask, class_image = image["mask"], image["class_image"]
    listed = Path(mask).parents[2] / Loco.config if mask and Path(mask).is_dir() else None
    sample = Sample(
        image=Path(image["picture"]),
        label=image["label"],
        mask=Path(mask) if mask else None,
        group=image["group"] or image["name"],
        name=image["name"],
        annotation=Path(class_image) if class_image else None,
        classes=classes,
        defects=listed if listed is not None and listed.is_file() else None,
    )
    picture = sample.load()
    annotation = load_annotation(sample)
    ignored = load_ignore(sample)
    if ignored is None:
        ignored = np.zeros(picture.shape[:2], bool)
    defect = load_mask(sample) & ~ignored
    return Marked(picture, defect, ignored, *annotation)


def load_flagged(path: Path, marked: Marked) -> np.ndarray:
    """Return the pixels that a prediction flags and that count, (H, W) bool.

    Raises:
        InputError: it is missing, damaged, not binary or of another size than the picture.
    """
    height, width = marked.defect.shape
    return load_binary(path, (height, width)) & ~marked.ignored


def reduced(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a mask at another size (width, height); whatever touches a pixel shows on it."""
    values = mask.astype(np.float32)
    if size[0] >= mask.shape[1]:
        return cv2.resize(values, size, interpolation=cv2.INTER_NEAREST) > 0
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA) > 0


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a picture at another size (width, height)."""
    smaller = size[0] < picture.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return cv2.resize(picture, size, interpolation=how)


def fitted(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """Return (width, height) of a picture of `shape` whose longer side is at most `longest`."""
    height, width = shape[:2]
    scale = min(1.0, longest / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def overlay(
    picture: np.ndarray, flagged: np.ndarray, defect: np.ndarray, impurity: np.ndarray
) -> np.ndarray:
    """Return a picture (H, W, 3) tinted by what a prediction gets right and wrong."""
    return tinted(
        picture,
        {
            FALSE: flagged & ~defect & ~impurity,
            IMPURITY: flagged & ~defect & impurity,
            FOUND: flagged & defect,
            MISSED: ~flagged & defect,
        },
    )


def tinted(picture: np.ndarray, where: dict[tuple[int, int, int], np.ndarray]) -> np.ndarray:
    """Return a picture (H, W, 3) tinted by a colour where each of some masks is (H, W)."""
    mixed = picture.astype(np.float32)
    for colour, mask in where.items():
        mixed[mask] = (1 - OPACITY) * mixed[mask] + OPACITY * np.array(colour, np.float32)
    return np.rint(mixed).astype(np.uint8)
