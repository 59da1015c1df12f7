"""What the camera sees beside the bare metal, and the twin that carries it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from impurities.registry import IMPURITIES
from render.part import Labels
from render.parts.plate.defects import Members, in_order
from render.parts.plate.defects import rasterize as rasterize_defects
from render.sensor import Sensor, blur_reach_px

Float32 = npt.NDArray[np.float32]

#: Twins are equal outside the mask dilated by so many pixels, unless the lens blurs farther.
TWIN_MARGIN_PX = 2

# Share of a pixel from which a diffuse material hides what lies below.
_OPAQUE = 0.5


@dataclass(frozen=True)
class Cover:
    """What there is to see beside the bare metal; arrays of shape (H, W).

    Attributes:
        ratio: float32, reflectance with impurities over reflectance without, mean over a pixel.
        classes: uint8, index of the class at the pixel's centre, 0 for none.
        instances: uint16, 1-based index over all impurities of the sample and then all its
            defects, 0 for none.
    """

    ratio: Float32
    classes: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint16]

    @classmethod
    def none(cls, shape: tuple[int, int]) -> Cover:
        """Return the cover of the bare metal."""
        return cls(
            np.ones(shape, np.float32),
            np.zeros(shape, np.uint8),
            np.zeros(shape, np.uint16),
        )

    def labels(self, kept: npt.NDArray[np.bool_] | None = None) -> Labels:
        """Return the labels, nothing outside of `kept`."""
        if kept is None:
            return Labels(self.classes, self.instances)
        return Labels(self.classes * kept, self.instances * kept)


def cover(
    impurities: Members,
    pixel_to_plane: npt.NDArray[np.float64],
    shape: tuple[int, int],
    reflectance: float,
    defects: Members | None = None,
) -> Cover:
    """Lay a sample's impurities over a picture, and label its defects.

    From bottom to top: defects, impurities that change the metal's reflectance, impurities that
    hide it, each in the order of its registry. A pixel's label is that of the topmost, except that
    a defect shows through an impurity that does not hide it.

    Args:
        impurities: by kind, in plate coordinates (mm).
        pixel_to_plane: (3, 3) homography.
        shape: rows and columns of the picture.
        reflectance: of the clean metal.
        defects: by kind, in plate coordinates (mm).
    """
    covered = Cover.none(shape)
    hidden = np.zeros(shape, np.bool_)
    before = 0
    for name, impurity in IMPURITIES.items():
        members = impurities.get(name, [])
        if members:
            raster = impurity.rasterize(members, pixel_to_plane, shape, reflectance)
            covered.classes[raster.mask] = impurity.index
            covered.instances[raster.mask] = raster.instance[raster.mask] + before
            if raster.diffuse is None:
                np.multiply(covered.ratio, raster.ratio, out=covered.ratio)
            else:
                covered.ratio[:] = 1 + (covered.ratio - 1) * (1 - raster.diffuse)
                hidden |= raster.mask & (raster.diffuse >= _OPAQUE)
        before += len(members)
    if defects and any(defects.values()):
        marks = rasterize_defects(defects, pixel_to_plane, shape)
        seen = marks.mask & ~hidden
        kinds = [kind.index for _, kind, _ in in_order(defects)]
        covered.classes[seen] = np.array([0, *kinds], np.uint8)[marks.instance[seen]]
        covered.instances[seen] = marks.instance[seen] + before
    return covered


def twin_region(mask: npt.NDArray[np.bool_], sensor: Sensor) -> npt.NDArray[np.bool_]:
    """Return where a twin may differ from its clean picture: the mask, dilated step by step."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    reach = max(TWIN_MARGIN_PX, blur_reach_px(sensor))
    return cv2.dilate(mask.astype(np.uint8), cross, iterations=reach).astype(bool)
