"""Zinc-grey paint from a can, sprayed over a whole part: it fills ribs and hides the crystals."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from render.parts.connector.surface.noise import lattice
from render.parts.connector.surface.zinc import Coat, Finish

Float64 = npt.NDArray[np.float64]

_COLOUR = (0.50, 0.51, 0.52)
#: What the paint leaves of the slopes below it.
_LEFT = 0.45


#: Paint on the rims.
COAT = Coat(_COLOUR, 0.45, 0.5)


def sprayed(finish: Finish, seed: int, x: Float64, y: Float64) -> Finish:
    """Return a finish with paint on it.

    Args:
        finish: what lies below.
        seed: of the paint's droplets.
        x, y: its points in mm, arrays (H, W).
    """
    drops = [lattice(seed + k, 0.3, x, y) for k in (1, 2)]
    peel = [lattice(seed + k, 1.1, x, y) for k in (3, 4)]
    cover = 1 + 0.05 * lattice(seed + 5, 14.0, x, y) + 0.05 * lattice(seed + 6, 0.25, x, y)
    # A little of the crystals' brightness shows through.
    below = finish.colour.mean(axis=-1)
    grey = cover * (1 + 0.10 * (below / below.mean() - 1))
    return dataclasses.replace(
        finish,
        slope_x=(_LEFT * finish.slope_x + 0.035 * drops[0] + 0.02 * peel[0]).astype(np.float32),
        slope_y=(_LEFT * finish.slope_y + 0.035 * drops[1] + 0.02 * peel[1]).astype(np.float32),
        colour=(grey[..., None] * np.array(_COLOUR)).astype(np.float32),
        roughness=np.full_like(finish.roughness, 0.5),
        anisotropy=np.zeros_like(finish.anisotropy),
        diffuse=np.full_like(finish.diffuse, 0.6),
    )
