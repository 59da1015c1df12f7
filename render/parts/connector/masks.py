"""Ground truth of a picture: which flaw each pixel's centre shows."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from render.camera import View, pixel_to_plane
from render.part import Labels
from render.parts.connector.pose import Pose
from render.parts.connector.sample import ConnectorSample
from render.parts.connector.shape import Shape, in_order
from stainless.homography import project

Float64 = npt.NDArray[np.float64]


def points_of(
    view: View, shape: tuple[int, int], pose: Pose, height_mm: float = 0.0
) -> tuple[Float64, Float64]:
    """Return which point of a part's top face, in its own frame, each pixel's centre shows.

    Args:
        view: the camera.
        shape: rows and columns of the picture.
        pose: how the part lies.
        height_mm: of the top face over z = 0.
    """
    if height_mm:
        closer = view.distance_mm - height_mm
        narrower = view.field_of_view_mm * closer / view.distance_mm
        view = dataclasses.replace(view, distance_mm=closer, field_of_view_mm=narrower)
    rows, columns = np.indices(shape) + 0.5
    return pose.to_part(*project(pixel_to_plane(view, shape), columns, rows))


def labels_of(
    part: ConnectorSample, sound: Shape, shape: Shape, view: View, size: tuple[int, int], pose: Pose
) -> Labels:
    """Return the labels of a picture; where two flaws overlap, the later one's.

    Args:
        part: the side that is seen.
        sound: it without its flaws.
        shape: it with them.
        view: the camera.
        size: rows and columns of the picture.
        pose: how the part lies.
    """
    classes, instances = np.zeros(size, np.uint8), np.zeros(size, np.uint16)
    for number, (kind, flaw) in enumerate(in_order(part.flaws), start=1):
        raised = sound.body.thickness_mm if kind.second(flaw) else 0.0
        x, y = points_of(view, size, pose, raised)
        across = x if part.front else -x
        mask = kind.region(flaw, sound, shape, across if kind.through else x, y)
        if not kind.through and not raised and mask.any():
            # A flaw of the surface ends where the sheet does.
            mask = mask.copy()
            mask[mask] = shape.solid(across[mask], y[mask])
        classes[mask], instances[mask] = kind.index, number
    return Labels(classes, instances)
