"""What all lies on the top face of a connector, from the zinc up."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from render.parts.connector.shape import Members, Shape, in_order
from render.parts.connector.surface.ce_label import CeLabel
from render.parts.connector.surface.noise import grid
from render.parts.connector.surface.paint import sprayed
from render.parts.connector.surface.zinc import Finish, Zinc, kept_finish

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

#: Freshly cut steel.
_STEEL = np.array((0.56, 0.55, 0.53), np.float32)
_INK = np.array((0.02, 0.02, 0.025), np.float32)
#: Width over which a stamp bends the sheet (mm, standard deviation).
_BEND_MM = 0.12


def top_finish(
    shape: Shape,
    members: Members,
    paints: Sequence[int],
    zinc: Zinc,
    front: bool,
    box: tuple[tuple[float, float], tuple[float, float]],
    texel_mm: float,
) -> Finish:
    """Return the finish of the side that is seen, over a box of its own frame.

    Args:
        shape: the part.
        members: its flaws.
        paints: seeds of the coats of paint that the whole part was sprayed with.
        zinc: the galvanized surface.
        front: which side is seen; the back's frame is the front's, mirrored in x.
        box: low and high corner in mm.
        texel_mm: edge of a texel.
    """
    finish = kept_finish(zinc, *box, texel_mm)
    x, y = grid(*box, texel_mm)
    if front and shape.body.label is not None:
        finish = _labelled(finish, shape.body.label, x, y, texel_mm)
    for seed in paints:
        finish = sprayed(finish, seed, x, y)
    for kind, flaw in in_order(members):
        sign = -1.0 if kind.through and not front else 1.0
        slopes, bare = kind.slopes(flaw, sign * x, y), kind.bare(flaw, sign * x, y)
        if slopes is not None:
            finish = dataclasses.replace(
                finish,
                slope_x=finish.slope_x + (sign * slopes[0]).astype(np.float32),
                slope_y=finish.slope_y + slopes[1].astype(np.float32),
            )
        if bare is not None:
            finish = _bared(finish, bare.astype(np.float32))
    return finish


def _labelled(finish: Finish, label: CeLabel, x: Float64, y: Float64, texel_mm: float) -> Finish:
    """Return a finish with a label stamped into it or printed on it."""
    strokes = label.strokes(x, y)
    if not label.embossed:
        ink = (label.ink * strokes)[..., None]
        flat = 1 - 0.6 * label.ink * strokes
        return dataclasses.replace(
            finish,
            colour=np.asarray(finish.colour * (1 - ink) + _INK * ink, np.float32),
            anisotropy=finish.anisotropy * flat,
            diffuse=finish.diffuse + (0.8 - finish.diffuse) * ink[..., 0],
        )
    deviation = _BEND_MM / texel_mm
    pressed = cv2.GaussianBlur(strokes, (0, 0), max(deviation, 0.3))
    down_y, down_x = np.gradient(-label.depth_mm * pressed, texel_mm)
    # Zinc at the bottom of a stamp is crushed: darker, duller.
    crushed = 1 - 0.22 * pressed
    return dataclasses.replace(
        finish,
        slope_x=finish.slope_x * (1 - 0.6 * pressed) + down_x.astype(np.float32),
        slope_y=finish.slope_y * (1 - 0.6 * pressed) + down_y.astype(np.float32),
        colour=finish.colour * crushed[..., None],
    )


def _bared(finish: Finish, bare: Float32) -> Finish:
    """Return a finish of which some steel is bare."""
    share = bare[..., None]
    return dataclasses.replace(
        finish,
        colour=np.asarray(finish.colour * (1 - share) + _STEEL * share, np.float32),
        roughness=finish.roughness + (0.3 - finish.roughness) * bare,
        diffuse=finish.diffuse * (1 - bare),
        anisotropy=finish.anisotropy * (1 - bare),
    )
