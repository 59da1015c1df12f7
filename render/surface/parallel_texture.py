"""Parallel (brushed) texture of a metal surface as a map of slopes.

The model is our own: the texture model cited by the Sequential PatchCore paper (arXiv 2501.09579,
section III) is not documented. Brushing leaves grooves of many widths and lengths along one
direction u. Their slope across the grooves (along v) is a sum of streak layers. Each layer is a
lattice of unit Gaussian numbers, independent from groove to groove and autoregressive of order one
along a groove, so that a streak forgets itself over its streak length. Single deeper grooves and a
slow waviness of the sheet come on top. The frame (u, v) is the plate's (x, y) turned by `angle_rad`
about the plate's centre, which is the origin of both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

#: Lattice points per streak length: finer changes nothing that a picture shows.
KNOTS_PER_STREAK = 8


@dataclass(frozen=True)
class StreakLayer:
    """One width and length of brushing streaks.

    Attributes:
        groove_width_mm: distance between neighbouring grooves.
        streak_length_mm: distance along a groove over which correlation falls to 1/e.
        rms_slope: root mean square of the slope dz/dv.
    """

    groove_width_mm: float
    streak_length_mm: float
    rms_slope: float


@dataclass(frozen=True)
class Groove:
    """A single deeper groove of the finish, nearly parallel to the rest.

    Attributes:
        u_mm, v_mm: its middle, in the groove frame.
        length_mm: its length; the depth tapers off towards both ends.
        width_mm: standard deviation of its Gaussian cross-section.
        slope: steepest slope of its flanks.
        tilt_rad: its angle to u.
    """

    u_mm: float
    v_mm: float
    length_mm: float
    width_mm: float
    slope: float
    tilt_rad: float


@dataclass(frozen=True)
class ParallelTexture:
    """Everything that defines the finish of one plate.

    Attributes:
        angle_rad: direction of the grooves against the plate's x axis.
        layers: streak layers, summed.
        grooves: single deeper grooves, summed.
        waviness_slope: root mean square slope of the sheet's slow waviness, each direction.
        waviness_length_mm: distance between its lattice points.
        seed: seed of the lattices' Gaussian numbers.
    """

    angle_rad: float
    layers: tuple[StreakLayer, ...]
    grooves: tuple[Groove, ...]
    waviness_slope: float
    waviness_length_mm: float
    seed: int


@dataclass(frozen=True)
class Window:
    """A rectangle of texels in the groove frame.

    Attributes:
        u_mm, v_mm: the corner of the first texel.
        texel_mm: edge of a texel.
        shape: rows (along v) and columns (along u).
    """

    u_mm: float
    v_mm: float
    texel_mm: float
    shape: tuple[int, int]

    def centres(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the texel centres' u (columns) and v (rows) in mm."""
        rows, columns = self.shape
        u = self.u_mm + (np.arange(columns) + 0.5) * self.texel_mm
        v = self.v_mm + (np.arange(rows) + 0.5) * self.texel_mm
        return u, v


def slope_map(texture: ParallelTexture, window: Window, reach_mm: float) -> tuple[Float32, Float32]:
    """Evaluate the texture's slopes on a window.

    The same point has the same slope whatever window it is seen through.

    Args:
        texture: the plate's finish.
        window: where to evaluate.
        reach_mm: the plate fits into the square [-reach, reach] of the groove frame.

    Returns:
        Slopes dz/du and dz/dv, float32 of the window's shape.

    Raises:
        ValueError: the window leaves the square.
    """
    u, v = window.centres()
    if max(abs(u[0]), abs(u[-1]), abs(v[0]), abs(v[-1])) > reach_mm:
        raise ValueError(f"the window leaves the texture's square of {reach_mm} mm")
    seeds = np.random.SeedSequence(texture.seed).spawn(len(texture.layers) + 1)
    slope_u, slope_v = _waviness(texture, u, v, reach_mm, np.random.default_rng(seeds[0]))
    for layer, seed in zip(texture.layers, seeds[1:], strict=True):
        _add_streaks(slope_v, layer, u, v, reach_mm, np.random.default_rng(seed))
    for groove in texture.grooves:
        _add_groove(slope_u, slope_v, groove, window, u, v)
    return slope_u, slope_v


def _add_streaks(
    slope_v: Float32,
    layer: StreakLayer,
    u: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    reach_mm: float,
    rng: np.random.Generator,
) -> None:
    """Add one streak layer to the slopes, in place."""
    step = layer.streak_length_mm / KNOTS_PER_STREAK
    rows = int(np.ceil(2 * reach_mm / layer.groove_width_mm)) + 2
    knots = int(np.ceil(2 * reach_mm / step)) + 2
    lattice = rng.standard_normal((knots, rows), dtype=np.float32)
    memory = np.float32(np.exp(-1 / KNOTS_PER_STREAK))
    fresh = np.sqrt(1 - memory * memory)
    for knot in range(1, knots):
        lattice[knot] = memory * lattice[knot - 1] + fresh * lattice[knot]

    row = (v + reach_mm) / layer.groove_width_mm
    first = int(row[0])
    below = row.astype(np.int64) - first
    along = _interpolation((u + reach_mm) / step, knots)
    grooves = lattice[:, first : first + below[-1] + 2].T @ along

    # Between two independent grooves plain interpolation would flatten the texture: unit power.
    weight = (row - np.floor(row)).astype(np.float32)
    norm = layer.rms_slope / np.sqrt(weight**2 + (1 - weight) ** 2)
    upper, lower = (weight * norm)[:, None], ((1 - weight) * norm)[:, None]
    block = 256
    for start in range(0, len(v), block):
        part = slice(start, start + block)
        slope_v[part] += lower[part] * grooves[below[part]]
        slope_v[part] += upper[part] * grooves[below[part] + 1]


def _interpolation(position: npt.NDArray[np.float64], knots: int) -> Float32:
    """Return the (knots, len(position)) matrix of linear interpolation at lattice positions."""
    matrix = np.zeros((knots, len(position)), np.float32)
    below = np.minimum(position.astype(np.int64), knots - 2)
    columns = np.arange(len(position))
    matrix[below, columns] = 1 - (position - below)
    matrix[below + 1, columns] = position - below
    return matrix


def _waviness(
    texture: ParallelTexture,
    u: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    reach_mm: float,
    rng: np.random.Generator,
) -> tuple[Float32, Float32]:
    """Return slopes of a smooth random height: a lattice of Gaussian bumps, summed.

    A bump has the lattice step h as standard deviation; the sum over a unit Gaussian lattice has a
    height variance of pi (sum of squared bumps) and a slope variance of pi / (2 h^2).
    """
    step = texture.waviness_length_mm
    nodes = np.arange(-reach_mm - 3 * step, reach_mm + 3.5 * step, step)
    lattice = rng.standard_normal((len(nodes), len(nodes)))
    along_u, across_u = _bumps(u, nodes, step)
    along_v, across_v = _bumps(v, nodes, step)
    scale = texture.waviness_slope / np.sqrt(np.pi / 2) * step
    slope_u = (scale * along_v @ lattice).astype(np.float32) @ across_u.T.astype(np.float32)
    slope_v = (scale * across_v @ lattice).astype(np.float32) @ along_u.T.astype(np.float32)
    return slope_u, slope_v


def _bumps(
    position: npt.NDArray[np.float64], nodes: npt.NDArray[np.float64], width: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return Gaussian bumps at the nodes and their derivatives, (positions, nodes) each."""
    distance = (position[:, None] - nodes[None, :]) / width
    bump = np.exp(-0.5 * distance**2)
    return bump, -distance / width * bump


def _add_groove(
    slope_u: Float32,
    slope_v: Float32,
    groove: Groove,
    window: Window,
    u: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
) -> None:
    """Add one groove to the slopes, in place, inside its bounding box only."""
    cos, sin = np.cos(groove.tilt_rad), np.sin(groove.tilt_rad)
    half = groove.length_mm / 2
    rise = abs(half * sin) + 4 * groove.width_mm
    columns = slice(*np.searchsorted(u, [groove.u_mm - half, groove.u_mm + half]))
    rows = slice(*np.searchsorted(v, [groove.v_mm - rise, groove.v_mm + rise]))
    du = (u[columns] - groove.u_mm)[None, :]
    dv = (v[rows] - groove.v_mm)[:, None]
    if du.size == 0 or dv.size == 0:
        return
    along = (du * cos + dv * sin).astype(np.float32)
    across = (dv * cos - du * sin).astype(np.float32) / np.float32(groove.width_mm)
    taper = np.clip(1 - (along / half) ** 2, 0, None)
    # Steepest flank of exp(-x^2 / 2) is exp(-1/2), one standard deviation off the axis.
    flank = groove.slope * np.exp(0.5) * taper * across * np.exp(-0.5 * across**2)
    slope_v[rows, columns] += flank * cos
    slope_u[rows, columns] -= flank * sin
