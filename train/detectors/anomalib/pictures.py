"""How a picture becomes what a network takes, and how its anomaly map comes back.

anomalib shrinks every picture to a square. Here its shape is kept: the shorter side gets the length
that is asked for, the picture is continued by mirroring to a multiple that the network needs, and
the map is cut and stretched back to the picture's own pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stainless.dataset import Sample
from stainless.errors import InputError
from train.augment import Ranges, augment, draw

Colour = tuple[float, float, float]

#: Of the networks that anomalib brings: what they were trained with on ImageNet.
IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_STD: Colour = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preparation:
    """What a method does to a picture before its network sees it.

    Attributes:
        side: length in pixels that the shorter side is given; None leaves the size as it is.
        mean, std: taken off and divided by, for intensities in [0, 1].
        multiple: of which the network needs both sides to be.
        least: shortest side in pixels that the network takes.
        longer: `side` is the length of the longer side.
        square: `side` is the length of both, whatever the shape.
        scale: factor by which that, or the size as it is, is enlarged.
        mode: interpolation, as torch names it.
        channels_last: order in memory in which this project's backbones are fastest.
    """

    side: int | None
    mean: Colour = IMAGENET_MEAN
    std: Colour = IMAGENET_STD
    multiple: int = 1
    least: int = 32
    longer: bool = False
    square: bool = False
    scale: float = 1.0
    mode: str = "bilinear"
    channels_last: bool = False

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width that a picture is given.

        Raises:
            InputError: it is too small for the network.
        """
        found = height, width
        if self.side is not None and self.square:
            found = self.side, self.side
        elif self.side is not None:
            given = max(found) if self.longer else min(found)
            found = (
                max(1, round(height * self.side / given)),
                max(1, round(width * self.side / given)),
            )
        if self.scale != 1:
            found = max(1, round(found[0] * self.scale)), max(1, round(found[1] * self.scale))
        if min(found) < self.least and not self.longer:
            resized = (
                "" if found == (height, width) else f" ({found[1]}x{found[0]} as it is resized)"
            )
            raise InputError(
                f"picture of {width}x{height} pixels{resized} is too small, expected "
                f"{self.least} pixels or more"
            )
        return found

    def resized(self, image: np.ndarray, device: str) -> Tensor:
        """Return an (H, W, 3) uint8 picture as (1, 3, h, w), resized and normalised.

        Raises:
            InputError: it is too small.
        """
        shape = self.shape(*image.shape[:2])
        values = torch.from_numpy(np.array(image)).to(device).permute(2, 0, 1)[None] / 255
        if shape != tuple(values.shape[-2:]):
            values = F.interpolate(values, shape, mode=self.mode, antialias=True).clamp(0, 1)
        mean = torch.tensor(self.mean, device=device).view(1, 3, 1, 1)
        std = torch.tensor(self.std, device=device).view(1, 3, 1, 1)
        order = torch.channels_last if self.channels_last else torch.contiguous_format
        return ((values - mean) / std).contiguous(memory_format=order)

    def padded(self, batch: Tensor) -> Tensor:
        """Return (B, 3, h, w) continued at the right and the bottom to whole multiples."""
        height, width = batch.shape[-2:]
        right, bottom = -width % self.multiple, -height % self.multiple
        if right or bottom:
            batch = F.pad(batch, (0, right, 0, bottom), "reflect")
        return batch

    def own_pixels(self, anomaly_map: Tensor, height: int, width: int) -> np.ndarray:
        """Return the (1, 1, h, w) map of a padded picture as (height, width) float32."""
        rows, columns = self.shape(height, width)
        cut = anomaly_map[..., :rows, :columns]
        if (rows, columns) != (height, width):
            cut = F.interpolate(cut, (height, width), mode="bilinear", antialias=True)
        return cut[0, 0].cpu().numpy().astype(np.float32)


@dataclass(frozen=True)
class Reader:
    """Reads nominal pictures as a network takes them, varied where that is asked for.

    Attributes:
        preparation: see there.
        device: where to.
        ranges: what to vary pictures by; None for pictures as they are.
        seed: of the variations.
    """

    preparation: Preparation
    device: str
    ranges: Ranges | None
    seed: int

    def __call__(self, sample: Sample, index: int, epoch: int = 0) -> Tensor:
        """Return picture number `index` as (1, 3, h, w), not yet padded.

        Raises:
            InputError: it cannot be read or is too small; names the file.
        """
        image = sample.load()
        if self.ranges is not None:
            image = augment(image, draw(self.ranges, self.seed, index, epoch))
        with naming(sample):
            return self.preparation.resized(image, self.device)

    def shape(self, sample: Sample) -> tuple[int, int]:
        """Return height and width that a picture is given.

        Raises:
            InputError: it cannot be read or is too small; names the file.
        """
        with naming(sample):
            return self.preparation.shape(*sample.size())


@contextmanager
def naming(sample: Sample) -> Iterator[None]:
    """Put the file of a picture in front of what is wrong with it."""
    try:
        yield
    except InputError as error:
        if str(sample.image) in str(error):
            raise
        raise InputError(f"{sample.image}: {error}") from None
