"""Hot-dip galvanizing: spangles, each a crystal of zinc with direction, gloss and tilt of its own.

Our own model; no paper is followed. Crystals grow from nuclei until they meet, as the cells of a
power diagram, with borders that waver. Within each, dendrites grow along six arms with side
branches at 60 degrees, as fine ribs. The layer as a whole is wavy and slightly grained.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import mean

import numpy as np
import numpy.typing as npt

from render.parts.connector.surface.noise import lattice
from stainless.ranges import Range, check_range
from stainless.streams import Draw

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

_ARM_RAD = np.pi / 3
#: What of the flanks' slope the mean slope of ribs is, in the model below.
_SHARPNESS = 0.6


@dataclass(frozen=True)
class Zinc:
    """The galvanized surface of one side of a connector.

    Attributes:
        spangle_mm: mean distance between the nuclei of crystals.
        reflectance: mean reflectance of the crystals.
        contrast: standard deviation of a crystal's reflectance, relative.
        roughness: of the glossiest crystal and of the dullest.
        anisotropy: of a crystal's lobe, along its arms.
        dull: share of diffuse light in the glossiest crystal and in the dullest.
        tilt: standard deviation of the slope of a crystal's surface.
        rib_mm: distance between the ribs of a dendrite.
        rib_slope: root mean square of the slope of ribs.
        wave_slope: of the layer's waviness.
        seed: of the crystals.
    """

    spangle_mm: float
    reflectance: float
    contrast: float
    roughness: tuple[float, float]
    anisotropy: float
    dull: tuple[float, float]
    tilt: float
    rib_mm: float
    rib_slope: float
    wave_slope: float
    seed: int


@dataclass
class ZincRanges:
    """What the galvanizing draws from.

    Attributes:
        spangle_mm: mean distance between the nuclei of crystals.
        reflectance: mean reflectance of the crystals.
        contrast: standard deviation of a crystal's reflectance, relative.
        gloss: roughness of the glossiest crystals.
        dullness: roughness of the dullest.
        anisotropy: of a crystal's lobe.
        least_dull: share of diffuse light in the glossiest crystals.
        most_dull: share of diffuse light in the dullest.
        tilt: standard deviation of the slope of a crystal's surface.
        rib_mm: distance between the ribs of a dendrite.
        rib_slope: root mean square of the slope of ribs.
        wave_slope: slope of the layer's waviness.
    """

    spangle_mm: Range = (4.5, 8.0)
    reflectance: Range = (0.66, 0.74)
    contrast: Range = (0.08, 0.11)
    gloss: Range = (0.24, 0.30)
    dullness: Range = (0.48, 0.56)
    anisotropy: Range = (0.35, 0.5)
    least_dull: Range = (0.15, 0.25)
    most_dull: Range = (0.45, 0.6)
    tilt: Range = (0.06, 0.085)
    rib_mm: Range = (0.7, 1.2)
    rib_slope: Range = (0.05, 0.08)
    wave_slope: Range = (0.012, 0.02)

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.spangle_mm", self.spangle_mm, 0.5, 100.0)
        check_range(f"{key}.reflectance", self.reflectance, 0.01, 1.0)
        check_range(f"{key}.contrast", self.contrast, 0.0, 1.0)
        for name in ("gloss", "dullness"):
            check_range(f"{key}.{name}", getattr(self, name), 0.02, 1.0)
        check_range(f"{key}.anisotropy", self.anisotropy, 0.0, 0.95)
        for name in ("least_dull", "most_dull"):
            check_range(f"{key}.{name}", getattr(self, name), 0.0, 1.0)
        for name in ("tilt", "rib_slope", "wave_slope"):
            check_range(f"{key}.{name}", getattr(self, name), 0.0, 1.0)
        check_range(f"{key}.rib_mm", self.rib_mm, 0.02, 20.0)


def sample_zinc(ranges: ZincRanges, draw: Draw) -> Zinc:
    """Draw the surface of one side."""
    return Zinc(
        spangle_mm=draw(ranges.spangle_mm),
        reflectance=draw(ranges.reflectance),
        contrast=draw(ranges.contrast),
        roughness=(draw(ranges.gloss), draw(ranges.dullness)),
        anisotropy=draw(ranges.anisotropy),
        dull=(draw(ranges.least_dull), draw(ranges.most_dull)),
        tilt=draw(ranges.tilt),
        rib_mm=draw(ranges.rib_mm),
        rib_slope=draw(ranges.rib_slope),
        wave_slope=draw(ranges.wave_slope),
        seed=draw.seed(),
    )


@dataclass(frozen=True)
class Finish:
    """An optical surface at points, arrays (H, W) float32.

    Attributes:
        slope_x, slope_y: of the surface, dz/dx and dz/dy.
        colour: (H, W, 3), share of the light that is reflected.
        roughness, anisotropy: of the glossy lobe.
        grain_rad: direction of the lobe's grooves.
        diffuse: share of the diffuse lobe.
    """

    slope_x: Float32
    slope_y: Float32
    colour: Float32
    roughness: Float32
    anisotropy: Float32
    grain_rad: Float32
    diffuse: Float32


@dataclass(frozen=True)
class Coat:
    """A surface that is the same everywhere, as the narrow rims are.

    Attributes:
        colour: share of the light that is reflected.
        roughness: of the glossy lobe.
        diffuse: share of the diffuse lobe.
    """

    colour: tuple[float, float, float]
    roughness: float
    diffuse: float


def coat(zinc: Zinc) -> Coat:
    """Return the zinc of the rims, where it is thick and bright."""
    grey = zinc.reflectance
    return Coat((grey, grey, 1.015 * grey), 0.75 * mean(zinc.roughness), 0.5 * mean(zinc.dull))


def spangles(zinc: Zinc, x: Float64, y: Float64) -> tuple[Int, Float64, Float64]:
    """Return which crystal points lie in, and their place against its nucleus.

    Args:
        zinc: the surface.
        x, y: points in mm, arrays (H, W).

    Returns:
        A number of the crystal, and x and y in mm from its nucleus.
    """
    pitch = zinc.spangle_mm
    waver = [
        lattice(zinc.seed + k, pitch * s, x, y)
        for k, s in ((1, 0.22), (2, 0.22), (3, 0.07), (4, 0.07))
    ]
    wx = x + pitch * (0.055 * waver[0] + 0.022 * waver[2])
    wy = y + pitch * (0.055 * waver[1] + 0.022 * waver[3])
    reach = int(np.ceil(max(np.abs(x).max(), np.abs(y).max()) / pitch)) + 4
    side = 2 * reach + 1
    rng = np.random.default_rng([zinc.seed, 0])
    nuclei = rng.uniform(-0.5, 0.5, (side, side, 2)) + np.stack(
        np.meshgrid(np.arange(side), np.arange(side)), axis=-1
    )
    # A head start makes some crystals larger than others.
    start = rng.uniform(0.0, 0.45, (side, side))
    u, v = wx / pitch + reach, wy / pitch + reach
    column, row = np.rint(u).astype(np.int64), np.rint(v).astype(np.int64)
    best = np.full(x.shape, np.inf)
    cell = np.zeros(x.shape, np.int64)
    for down in (-2, -1, 0, 1, 2):
        for across in (-2, -1, 0, 1, 2):
            i, j = row + down, column + across
            distance = (u - nuclei[i, j, 0]) ** 2 + (v - nuclei[i, j, 1]) ** 2 - start[i, j]
            closer = distance < best
            best[closer] = distance[closer]
            cell[closer] = (i * side + j)[closer]
    place = nuclei.reshape(-1, 2)[cell]
    return cell, (u - place[..., 0]) * pitch, (v - place[..., 1]) * pitch


def finish(zinc: Zinc, x: Float64, y: Float64) -> Finish:
    """Return the galvanized surface at points in mm, arrays (H, W)."""
    cell, dx, dy = spangles(zinc, x, y)
    count = int(cell.max()) + 1
    rng = np.random.default_rng([zinc.seed, 1])
    normal = rng.standard_normal((4, count))
    turn, dull = rng.uniform(0, 2 * np.pi, count), rng.uniform(0, 1, count)
    bright = 1 + zinc.contrast * normal[0]
    tint = 0.012 * normal[1]

    # Ribs: side branches at 60 degrees to the arm that a point is next to.
    angle = np.arctan2(dy, dx) - turn[cell]
    arm = np.rint(angle / _ARM_RAD)
    off = angle - arm * _ARM_RAD
    radius = np.hypot(dx, dy)
    side = np.where(off < 0, -1.0, 1.0)
    along = radius * (np.cos(off) - np.abs(np.sin(off)) / np.tan(np.pi / 3))
    wobble = 0.3 * lattice(zinc.seed + 5, 3.0, x, y) + 0.5 * normal[2][cell]
    phase = 2 * np.pi * along / zinc.rib_mm + 2.2 * wobble
    strength = zinc.rib_slope * np.sqrt(2) * (0.6 + 0.5 * np.abs(normal[3][cell]))
    rib = strength * (_SHARPNESS * np.sin(phase) + (1 - _SHARPNESS) * np.sin(2 * phase + 1))
    # The ribs' slope lies across the branch, whose direction is 60 degrees off the arm's.
    branch = turn[cell] + arm * _ARM_RAD + side * np.pi / 3
    across = branch + np.pi / 2
    tilt = zinc.tilt * rng.standard_normal((2, count))
    grain = [lattice(zinc.seed + k, 0.22, x, y) for k in (6, 7)]
    wave = [lattice(zinc.seed + k, 7.0, x, y) for k in (8, 9)]
    slope_x = tilt[0][cell] + rib * np.cos(across) + 0.018 * grain[0] + zinc.wave_slope * wave[0]
    slope_y = tilt[1][cell] + rib * np.sin(across) + 0.018 * grain[1] + zinc.wave_slope * wave[1]

    patina = 1 + 0.025 * lattice(zinc.seed + 10, 11.0, x, y) + 0.02 * grain[0]
    grey = zinc.reflectance * bright[cell] * patina * (1 + 0.05 * rib / max(zinc.rib_slope, 1e-6))
    colour = np.clip(
        grey[..., None]
        * np.stack([1 - tint[cell], np.ones_like(grey), 1.015 + tint[cell]], axis=-1),
        0.02,
        0.98,
    )
    low, high = zinc.roughness
    least, most = zinc.dull
    share = dull[cell]
    return Finish(
        slope_x=slope_x.astype(np.float32),
        slope_y=slope_y.astype(np.float32),
        colour=colour.astype(np.float32),
        roughness=(low + (high - low) * share).astype(np.float32),
        anisotropy=np.full(x.shape, zinc.anisotropy, np.float32),
        grain_rad=turn[cell].astype(np.float32),
        diffuse=(least + (most - least) * share).astype(np.float32),
    )


@lru_cache(maxsize=3)
def kept_finish(
    zinc: Zinc, low: tuple[float, float], high: tuple[float, float], texel_mm: float
) -> Finish:
    """Return the finish over a box, kept for the next picture of the same side. Read only."""
    from render.parts.connector.surface.noise import grid

    return finish(zinc, *grid(low, high, texel_mm))
