"""The augmentation of Sequential PatchCore: what may differ between pictures of nominal surfaces.

Mao et al. (arXiv 2501.09579): brightness, contrast, both flips, Gaussian blur, Gaussian noise and
a random black region as the border of the part. `augment` is a pure function of explicit
parameters; `draw` chooses them, one random stream per purpose, so that a purpose that is switched
off leaves the draws of the others as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np

from stainless.errors import InputError

Range = tuple[float, float]


class Stream(IntEnum):
    """Random streams; the numbers are part of what a seed means and never change."""

    FLIP_HORIZONTAL = 0
    FLIP_VERTICAL = 1
    BRIGHTNESS = 2
    CONTRAST = 3
    BORDER = 4
    BLUR = 5
    NOISE = 6
    NOISE_PIXELS = 7


@dataclass(frozen=True)
class Ranges:
    """What `draw` chooses from.

    Attributes:
        flip: probability of each of the two flips.
        brightness: offset, in units of full scale.
        contrast: factor about mid-scale.
        border: probability of a border of the part.
        border_depth: how far it reaches into the image, as a share of that side.
        border_tilt_deg: its angle to the image side.
        blur_px: standard deviation of the Gaussian blur.
        noise: standard deviation of the Gaussian noise, in units of full scale.
    """

    flip: float = 0.5
    brightness: Range = (-0.1, 0.1)
    contrast: Range = (0.9, 1.1)
    border: float = 0.25
    border_depth: Range = (0.02, 0.2)
    border_tilt_deg: Range = (-3.0, 3.0)
    blur_px: Range = (0.0, 1.0)
    noise: Range = (0.0, 0.02)

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            low, high = value if isinstance(value, tuple) else (0, value)
            if not low <= high or (isinstance(value, float) and not 0 <= value <= 1):
                raise InputError(f"augmentation {name} {value}: expected a probability or a range")


@dataclass(frozen=True)
class Border:
    """A straight edge of the part: beyond it the image is black.

    Attributes:
        side: 0 left, 1 right, 2 top, 3 bottom.
        depth: reach at the middle of that side, as a share of the image.
        tilt_deg: angle to that side.
    """

    side: int
    depth: float
    tilt_deg: float


@dataclass(frozen=True)
class Augmentation:
    """One augmentation, every number of it; units as in `Ranges`. The default changes nothing."""

    flip_horizontal: bool = False
    flip_vertical: bool = False
    brightness: float = 0.0
    contrast: float = 1.0
    border: Border | None = None
    blur_px: float = 0.0
    noise: float = 0.0
    noise_key: tuple[int, ...] = (0,)


def draw(ranges: Ranges, seed: int, image: int, epoch: int) -> Augmentation:
    """Draw the augmentation of image number `image` in one epoch.

    Depends on its arguments alone: neither on the order of images nor on what ran before.
    """

    def stream(purpose: Stream) -> np.random.Generator:
        key = (image, epoch, int(purpose))
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))

    edge = stream(Stream.BORDER)
    has_border = edge.random() < ranges.border
    border = Border(
        side=int(edge.integers(4)),
        depth=edge.uniform(*ranges.border_depth),
        tilt_deg=edge.uniform(*ranges.border_tilt_deg),
    )
    return Augmentation(
        flip_horizontal=bool(stream(Stream.FLIP_HORIZONTAL).random() < ranges.flip),
        flip_vertical=bool(stream(Stream.FLIP_VERTICAL).random() < ranges.flip),
        brightness=stream(Stream.BRIGHTNESS).uniform(*ranges.brightness),
        contrast=stream(Stream.CONTRAST).uniform(*ranges.contrast),
        border=border if has_border else None,
        blur_px=stream(Stream.BLUR).uniform(*ranges.blur_px),
        noise=stream(Stream.NOISE).uniform(*ranges.noise),
        noise_key=(seed, image, epoch, int(Stream.NOISE_PIXELS)),
    )


def augment(image: np.ndarray, how: Augmentation) -> np.ndarray:
    """Return the augmented picture, in the order light, part, lens, sensor.

    Args:
        image: (H, W, 3) uint8.
        how: the parameters.

    Returns:
        (H, W, 3) uint8.
    """
    picture = image[:, ::-1] if how.flip_horizontal else image
    picture = picture[::-1] if how.flip_vertical else picture
    values = picture.astype(np.float32) / 255
    values = (values - 0.5) * np.float32(how.contrast) + np.float32(0.5 + how.brightness)
    values = values.clip(0, 1)
    if how.border is not None:
        values[beyond_border(values.shape[0], values.shape[1], how.border)] = 0
    if how.blur_px > 0:
        values = cv2.GaussianBlur(values, (0, 0), how.blur_px, borderType=cv2.BORDER_REFLECT_101)
    if how.noise > 0:
        seed, *key = how.noise_key
        sequence = np.random.SeedSequence(seed, spawn_key=key)
        noise = np.random.default_rng(sequence).standard_normal(values.shape, np.float32)
        values = values + np.float32(how.noise) * noise
    return np.rint(values.clip(0, 1) * 255).astype(np.uint8)


def beyond_border(height: int, width: int, border: Border) -> np.ndarray:
    """Return which pixels of an image lie beyond the edge of the part, (H, W) bool."""
    rows = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height
    columns = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / width
    across, along, aspect = (
        (columns, rows, height / width) if border.side < 2 else (rows, columns, width / height)
    )
    if border.side % 2:
        across = 1 - across
    slope = np.tan(np.deg2rad(border.tilt_deg)) * aspect
    return across < border.depth + slope * (along - 0.5)
