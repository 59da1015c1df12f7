"""What lies on the plate as the camera sees it, and the twin that carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from impurities.registry import IMPURITIES
from render.sensor import Sensor, blur_reach_px, through_lens

Float32 = npt.NDArray[np.float32]

#: Twins are equal outside the mask dilated by so many pixels, unless the lens blurs farther.
TWIN_MARGIN_PX = 2

#: Index of each class in the annotations; 0 is the bare surface.
CLASS_INDEX = {name: place + 1 for place, name in enumerate(IMPURITIES)}


@dataclass(frozen=True)
class Cover:
    """Impurities over the pixels of a picture; arrays of shape (H, W).

    Attributes:
        ratio: float32, reflectance with impurities over reflectance without, mean over a pixel.
        classes: uint8, index of the class at the pixel's centre, 0 for none.
        instances: uint16, 1-based index over all impurities of the sample, 0 for none.
    """

    ratio: Float32
    classes: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint16]


def cover(
    impurities: dict[str, list[Any]],
    pixel_to_plate: npt.NDArray[np.float64],
    shape: tuple[int, int],
    reflectance: float,
) -> Cover:
    """Lay a sample's impurities over a picture.

    Where kinds overlap both change the reflectance, and the one that comes later in the registry
    lies on top: the labels are its own.

    Args:
        impurities: by kind, in plate coordinates (mm).
        pixel_to_plate: (3, 3) homography.
        shape: rows and columns of the picture.
        reflectance: of the clean metal.
    """
    ratio = np.ones(shape, np.float32)
    classes = np.zeros(shape, np.uint8)
    instances = np.zeros(shape, np.uint16)
    before = 0
    for name, impurity in IMPURITIES.items():
        members = impurities.get(name, [])
        if members:
            raster = impurity.rasterize(members, pixel_to_plate, shape, reflectance)
            ratio *= raster.ratio
            classes[raster.mask] = CLASS_INDEX[name]
            instances[raster.mask] = raster.instance[raster.mask] + before
        before += len(members)
    return Cover(ratio, classes, instances)


def twin_region(mask: npt.NDArray[np.bool_], sensor: Sensor) -> npt.NDArray[np.bool_]:
    """Return where a twin may differ from its clean picture: the mask, dilated step by step."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    reach = max(TWIN_MARGIN_PX, blur_reach_px(sensor))
    return cv2.dilate(mask.astype(np.uint8), cross, iterations=reach).astype(bool)


def covered_irradiance(
    radiance: Float32, irradiance: Float32, region: npt.NDArray[np.bool_], sensor: Sensor
) -> Float32:
    """Return the covered twin's light behind the lens.

    Args:
        radiance: of the covered plate, before the lens, (H, W).
        irradiance: of the clean plate, behind the lens, (H, W).
        region: where the twins may differ; outside it the clean picture is kept bit for bit.
        sensor: its lens counts.
    """
    if not region.any():
        return irradiance
    return np.where(region, through_lens(radiance, sensor), irradiance)
