"""The black cloth below: a plain weave of matt threads, never quite flat.

Warp threads run along v, weft threads along u; a thread goes over and under its crossing ones in
turn. Its height is that of whichever thread lies on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from render.parts.connector.surface.noise import grid, lattice
from stainless.ranges import Range, check_range
from stainless.streams import Draw

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cloth:
    """One cloth.

    Attributes:
        thread_mm: distance between neighbouring threads.
        reflectance: of its threads, at their tops.
        angle_rad: of the weft against the x axis.
        relief: height of a thread over its distance to the next.
        fold_slope: root mean square of the slope of its soft folds.
        lint_per_cm2: bright fibres that lie on it.
        seed: of its threads.
    """

    thread_mm: float
    reflectance: float
    angle_rad: float
    relief: float
    fold_slope: float
    lint_per_cm2: float
    seed: int


@dataclass
class ClothRanges:
    """What the cloth draws from.

    Attributes:
        thread_mm: distance between neighbouring threads.
        reflectance: of its threads, at their tops.
        angle_deg: largest turn of the weft against the x axis.
        relief: height of a thread over its distance to the next.
        fold_slope: root mean square of the slope of its soft folds.
        lint_per_cm2: bright fibres that lie on it.
    """

    thread_mm: Range = (0.85, 0.95)
    reflectance: Range = (0.045, 0.055)
    angle_deg: Range = (0.0, 6.0)
    relief: Range = (0.28, 0.34)
    fold_slope: Range = (0.03, 0.07)
    lint_per_cm2: Range = (0.03, 0.12)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.thread_mm", self.thread_mm, 0.05, 20.0)
        check_range(f"{key}.reflectance", self.reflectance, 0.0, 1.0)
        check_range(f"{key}.angle_deg", self.angle_deg, 0.0, 180.0)
        check_range(f"{key}.relief", self.relief, 0.0, 2.0)
        check_range(f"{key}.fold_slope", self.fold_slope, 0.0, 1.0)
        check_range(f"{key}.lint_per_cm2", self.lint_per_cm2, 0.0, 50.0)


def sample_cloth(ranges: ClothRanges, draw: Draw) -> Cloth:
    """Draw one cloth."""
    return Cloth(
        thread_mm=draw(ranges.thread_mm),
        reflectance=draw(ranges.reflectance),
        angle_rad=float(np.radians(draw.around(ranges.angle_deg))),
        relief=draw(ranges.relief),
        fold_slope=draw(ranges.fold_slope),
        lint_per_cm2=draw(ranges.lint_per_cm2),
        seed=draw.seed(),
    )


def weave(cloth: Cloth, x: Float64, y: Float64) -> tuple[Float64, Float64, Float64]:
    """Return height (in threads, 0 to 1), and slopes along x and y, at points in mm, arrays (H, W).

    Threads waver; the slopes are those of threads that do not.
    """
    cos, sin = np.cos(cloth.angle_rad), np.sin(cloth.angle_rad)
    u = (cos * x + sin * y) / cloth.thread_mm
    v = (-sin * x + cos * y) / cloth.thread_mm
    u = u + 0.09 * lattice(cloth.seed + 1, 5.0, x, y) + 0.05 * lattice(cloth.seed + 2, 0.9, x, y)
    v = v + 0.09 * lattice(cloth.seed + 3, 5.0, x, y) + 0.05 * lattice(cloth.seed + 4, 0.9, x, y)
    sign = np.where((np.floor(u) + np.floor(v)) % 2 == 0, 1.0, -1.0)
    fu, fv = u % 1, v % 1
    # Round across, and up and down along: over where the sign is positive for the warp.
    warp = np.sin(np.pi * fu) ** 0.7 * (0.5 + 0.5 * sign * np.sin(np.pi * fv))
    weft = np.sin(np.pi * fv) ** 0.7 * (0.5 - 0.5 * sign * np.sin(np.pi * fu))
    on_top = warp >= weft
    height = np.maximum(warp, weft)
    cu, cv = np.cos(np.pi * fu), np.cos(np.pi * fv)
    around_u = 0.7 * np.pi * cu * np.maximum(np.sin(np.pi * fu), 0.15) ** -0.3
    around_v = 0.7 * np.pi * cv * np.maximum(np.sin(np.pi * fv), 0.15) ** -0.3
    slope_u = np.where(
        on_top,
        around_u * (0.5 + 0.5 * sign * np.sin(np.pi * fv)),
        np.sin(np.pi * fv) ** 0.7 * -0.5 * sign * np.pi * cu,
    )
    slope_v = np.where(
        on_top,
        np.sin(np.pi * fu) ** 0.7 * 0.5 * sign * np.pi * cv,
        around_v * (0.5 - 0.5 * sign * np.sin(np.pi * fu)),
    )
    slope_u, slope_v = cloth.relief * slope_u, cloth.relief * slope_v
    return height, cos * slope_u - sin * slope_v, sin * slope_u + cos * slope_v


def surface(cloth: Cloth, x: Float64, y: Float64) -> tuple[Float32, Float32]:
    """Return colour (H, W, 3) and normals (H, W, 3; not of unit length) at points in mm."""
    height, slope_x, slope_y = weave(cloth, x, y)
    for k, pitch in ((5, 45.0), (7, 18.0)):
        slope_x = slope_x + cloth.fold_slope * lattice(cloth.seed + k, pitch, x, y)
        slope_y = slope_y + cloth.fold_slope * lattice(cloth.seed + k + 1, pitch, x, y)
    fibre = (
        1 + 0.22 * lattice(cloth.seed + 9, 0.3, x, y) + 0.06 * lattice(cloth.seed + 10, 6.0, x, y)
    )
    grey = cloth.reflectance * (0.25 + 0.75 * height) * np.clip(fibre, 0.3, 2)
    colour = grey[..., None] * np.array([0.97, 0.98, 1.05])
    colour[_lint(cloth, x, y)] = 0.16
    normals = np.stack([-slope_x, -slope_y, np.ones_like(slope_x)], axis=-1)
    return colour.astype(np.float32), normals.astype(np.float32)


def _lint(cloth: Cloth, x: Float64, y: Float64) -> npt.NDArray[np.bool_]:
    """Return which points show a fibre that lies on the cloth: a short, bent line."""
    rng = np.random.default_rng([cloth.seed, 11])
    edges = np.array([[x.min(), y.min()], [x.max(), y.max()]])
    # Of a fixed area, so that they do not depend on what is seen.
    field = 400.0
    count = round(cloth.lint_per_cm2 * (field / 10) ** 2)
    places = rng.uniform(-field / 2, field / 2, (count, 2))
    turns, lengths = rng.uniform(0, np.pi, count), rng.uniform(0.6, 2.6, count)
    bends = rng.uniform(-0.5, 0.5, count)
    found = np.zeros(x.shape, np.bool_)
    seen = ((places > edges[0]) & (places < edges[1])).all(axis=1)
    for place, turn, length, bend in zip(
        places[seen], turns[seen], lengths[seen], bends[seen], strict=True
    ):
        u = np.cos(turn) * (x - place[0]) + np.sin(turn) * (y - place[1])
        v = -np.sin(turn) * (x - place[0]) + np.cos(turn) * (y - place[1])
        found |= (np.abs(u) < length / 2) & (np.abs(v - bend * u * u / length) < 0.06)
    return found


@lru_cache(maxsize=2)
def kept_surface(
    cloth: Cloth, low: tuple[float, float], high: tuple[float, float], texel_mm: float
) -> tuple[Float32, Float32]:
    """Return `surface` over a box, kept for the next picture on the same cloth. Read only."""
    return surface(cloth, *grid(low, high, texel_mm))
