"""Regions of a defect and how much of each must be found: the ground truth of MVTec LOCO AD.

There, an image has a folder of masks, one a region, and the value of its pixels says which defect
it is. `defects_config.json` lists the defects with their saturation: found pixels beyond it count
for nothing, since a missing part, say, may be marked anywhere in its place (Bergmann et al.,
"Beyond Dents and Scratches", IJCV 2022, section 4; there s_i, of the sPRO metric).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from stainless.dataset.images import frame_of
from stainless.dataset.listing import list_images
from stainless.dataset.masks import grey_value, load_binary
from stainless.dataset.sample import Sample
from stainless.dataset.text import read_json
from stainless.errors import InputError


@dataclass(frozen=True)
class DefectClass:
    """One entry of defects_config.json.

    Attributes:
        name: of the defect.
        pixel_value: what marks its regions, 1 to 255.
        saturation_threshold: an area in pixels, or a share of a region's own area.
        relative_saturation: which of both.
    """

    name: str
    pixel_value: int
    saturation_threshold: float
    relative_saturation: bool

    def saturation(self, area: int) -> float:
        """Return how many found pixels of a region of an area fulfil it."""
        if self.relative_saturation:
            return self.saturation_threshold * area
        return min(self.saturation_threshold, area)


@dataclass(frozen=True)
class Region:
    """One region of ground truth.

    Attributes:
        mask: (H, W) bool; at least one pixel.
        name: of its defect.
        saturation: found pixels beyond this many count for nothing; the region's area where the
            dataset does not say.
    """

    mask: np.ndarray
    name: str
    saturation: float


def load_regions(sample: Sample) -> list[Region]:
    """Return the regions of an image's defects, none of a good one.

    Without a folder of masks, they are the 8-connected regions of its mask.

    Raises:
        InputError: a mask is missing, corrupt, of another size, not binary or blank, or its value
            is not in defects_config.json.
    """
    if sample.mask is None or not sample.mask.is_dir():
        return _connected(sample)
    frame = frame_of(sample.image)
    listed = read_defects(sample.defects) if sample.defects is not None else None
    found = []
    for path in list_images(sample.mask, deep=True):
        mask = load_binary(path, frame, sample.mask_frame, any_value=True)
        if sample.is_good and not mask.any():
            continue
        if not mask.any():
            raise InputError(f"{path}: marks no pixel, but its image counts as {sample.label}")
        if listed is None:
            found.append(Region(mask, sample.label, float(mask.sum())))
            continue
        value = grey_value(path)
        if value not in listed:
            values = ", ".join(map(str, listed))
            raise InputError(
                f"{path}: has value {value}, expected one of {sample.defects}: {values}"
            )
        defect = listed[value]
        found.append(Region(mask, defect.name, defect.saturation(int(mask.sum()))))
    return found or [Region(np.zeros(frame.size, bool), sample.label, 0.0)]


def has_saturation(sample: Sample) -> bool:
    """Tell whether an image is of a dataset that says how much of each defect must be found."""
    return sample.defects is not None or (sample.mask is not None and sample.mask.is_dir())


def saturated_regions(sample: Sample) -> list[Region]:
    """Return the regions of an image's defects, of a dataset that says their saturation.

    Raises:
        InputError: as `require_saturation` and `load_regions`.
    """
    require_saturation([sample])
    return [] if sample.is_good else load_regions(sample)


def require_saturation(samples: Iterable[Sample]) -> None:
    """Refuse images with regions of which nobody has said how much must be found.

    Images of a dataset that says it of none pass.

    Raises:
        InputError: a folder of masks in a category without defects_config.json, or one mask for
            all regions in a category with it.
    """
    for sample in samples:
        if sample.is_good or sample.mask is None or not has_saturation(sample):
            continue
        if sample.defects is None:
            raise InputError(
                f"{sample.mask}: is a folder of regions, but its category has no "
                "defects_config.json, which says how much of each must be found"
            )
        if not sample.mask.is_dir():
            raise InputError(
                f"{sample.mask}: is one mask, expected a folder with one of each region, whose "
                f"saturation {sample.defects} says"
            )


def _connected(sample: Sample) -> list[Region]:
    from stainless.dataset.truth import load_mask

    count, numbers = cv2.connectedComponents(load_mask(sample).astype(np.uint8), connectivity=8)
    masks = [numbers == number for number in range(1, count)]
    return [Region(mask, sample.label, float(mask.sum())) for mask in masks]


def read_defects(path: Path) -> dict[int, DefectClass]:
    """Return the defects of a defects_config.json by their pixel value.

    Raises:
        InputError: it is missing, corrupt or has a wrong entry.
    """
    content = read_json(path)
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise InputError(f"{path}: expected a list of defects")
    found: dict[int, DefectClass] = {}
    for entry in content:
        missing = {"defect_name", "pixel_value", "saturation_threshold", "relative_saturation"}
        missing -= set(entry)
        if missing:
            raise InputError(f"{path}: a defect lacks {min(missing)!r}: {entry}")
        value, threshold = entry["pixel_value"], entry["saturation_threshold"]
        is_relative = entry["relative_saturation"]
        if type(value) is not int or not 1 <= value <= 255 or value in found:
            raise InputError(f"{path}: pixel_value {value!r}, expected its own from 1 to 255")
        if type(is_relative) is not bool:
            raise InputError(f"{path}: relative_saturation {is_relative!r}, expected true or false")
        most = 1 if is_relative else float("inf")
        if type(threshold) not in (int, float) or not 0 < threshold <= most:
            limit = "above 0 to 1" if is_relative else "above 0"
            raise InputError(f"{path}: saturation_threshold {threshold!r}, expected {limit}")
        name = str(entry["defect_name"])
        found[value] = DefectClass(name, value, float(threshold), is_relative)
    return found
