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

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from stainless.ranges import Range, bounds, check_range, within
from stainless.streams import Draw

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
class DeepGrooves:
    """The single deeper grooves of a finish, spread evenly; each is nearly parallel to the rest.

    Attributes:
        count: how many.
        width_mm, height_mm: the rectangle around the origin that holds their middles.
        length_mm: (low, high); the depth tapers off towards both ends.
        thickness_mm: (low, high), standard deviation of the Gaussian cross-section.
        slope: (low, high), steepest slope of the flanks; shallow grooves are many, deep ones rare.
        tilt_rad: (low, high), angle to u, either way.
    """

    count: int
    width_mm: float
    height_mm: float
    length_mm: tuple[float, float]
    thickness_mm: tuple[float, float]
    slope: tuple[float, float]
    tilt_rad: tuple[float, float]


@dataclass(frozen=True)
class ParallelTexture:
    """Everything that defines the finish of one plate.

    Attributes:
        angle_rad: direction of the grooves against the plate's x axis.
        layers: streak layers, summed.
        grooves: single deeper grooves.
        waviness_slope: root mean square slope of the sheet's slow waviness, each direction.
        waviness_length_mm: distance between its lattice points.
        seed: which of all finishes with these properties it is.
    """

    angle_rad: float
    layers: tuple[StreakLayer, ...]
    grooves: DeepGrooves
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
    seeds = np.random.SeedSequence(texture.seed).spawn(len(texture.layers) + 2)
    slope_u, slope_v = _waviness(texture, u, v, reach_mm, np.random.default_rng(seeds[0]))
    _add_grooves(slope_u, slope_v, texture.grooves, u, v, np.random.default_rng(seeds[1]))
    for layer, seed in zip(texture.layers, seeds[2:], strict=True):
        _add_streaks(slope_v, layer, u, v, reach_mm, np.random.default_rng(seed))
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
    along = _interpolation((u + reach_mm) / step, knots, float(memory))
    grooves = lattice[:, first : first + below[-1] + 2].T @ along

    # Between two independent grooves plain interpolation would flatten the texture: unit power.
    weight = (row - np.floor(row)).astype(np.float32)
    norm = layer.rms_slope / np.sqrt(weight**2 + (1 - weight) ** 2)
    upper, lower = (weight * norm)[:, None], ((1 - weight) * norm)[:, None]
    block = 256
    for start in range(0, len(v), block):
        block_rows = slice(start, start + block)
        slope_v[block_rows] += lower[block_rows] * grooves[below[block_rows]]
        slope_v[block_rows] += upper[block_rows] * grooves[below[block_rows] + 1]


def _interpolation(position: npt.NDArray[np.float64], knots: int, memory: float) -> Float32:
    """Return the (knots, len(position)) matrix that interpolates at lattice positions.

    Linear, but of unit power between knots as well, whose correlation is `memory`.
    """
    matrix = np.zeros((knots, len(position)), np.float32)
    below = np.minimum(position.astype(np.int64), knots - 2)
    columns = np.arange(len(position))
    weight = position - below
    norm = 1 / np.sqrt(1 - 2 * weight * (1 - weight) * (1 - memory))
    matrix[below, columns] = (1 - weight) * norm
    matrix[below + 1, columns] = weight * norm
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


def _add_grooves(
    slope_u: Float32,
    slope_v: Float32,
    grooves: DeepGrooves,
    u: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Add the single deeper grooves to the slopes, in place, each inside its bounding box only."""
    # A table of uniform numbers, a row a groove: one groove more leaves the others as they were.
    table = rng.random((grooves.count, 7))
    middle_u = (table[:, 0] - 0.5) * grooves.width_mm
    middle_v = (table[:, 1] - 0.5) * grooves.height_mm
    half = within(grooves.length_mm, table[:, 2]) / 2
    thickness = within(grooves.thickness_mm, table[:, 3])
    slope = within(grooves.slope, table[:, 4] ** 3)
    tilt = within(grooves.tilt_rad, table[:, 5]) * np.where(table[:, 6] < 0.5, -1, 1)
    rise = np.abs(half * np.sin(tilt)) + 4 * thickness
    columns = np.searchsorted(u, [middle_u - half, middle_u + half])
    rows = np.searchsorted(v, [middle_v - rise, middle_v + rise])
    seen = (columns[0] < columns[1]) & (rows[0] < rows[1])
    for k in np.flatnonzero(seen):
        box = slice(*rows[:, k]), slice(*columns[:, k])
        du, dv = (u[box[1]] - middle_u[k])[None, :], (v[box[0]] - middle_v[k])[:, None]
        cos, sin = np.cos(tilt[k]), np.sin(tilt[k])
        taper = np.clip(1 - ((du * cos + dv * sin) / half[k]) ** 2, 0, None)
        across = (dv * cos - du * sin) / thickness[k]
        # Steepest flank of exp(-x^2 / 2) is exp(-1/2), one standard deviation off the axis.
        flank = slope[k] * np.exp(0.5) * taper * across * np.exp(-0.5 * across**2)
        slope_v[box] += (flank * cos).astype(np.float32)
        slope_u[box] -= (flank * sin).astype(np.float32)


@dataclass
class TextureRanges:
    """What the parallel texture draws from.

    Attributes:
        texel_um: resolution of the slope map; finer than the pixel.
        angle_deg: largest turn of the grooves against the plate's x axis, either way.
        layers: streak layers, fixed.
        strength: factor on the slope of all layers.
        grooves_per_cm2: density of single deeper grooves.
        groove_length_mm: length of a deeper groove.
        groove_width_um: standard deviation of its cross-section.
        groove_slope: steepest slope of its flanks.
        groove_tilt_deg: largest angle to the others, either way.
        waviness_slope: root mean square slope of the sheet's waviness.
        waviness_length_mm: distance between the waviness' lattice points.
    """

    texel_um: float = 10.0
    angle_deg: Range = (0.0, 2.0)
    layers: list[StreakLayer] = field(
        default_factory=lambda: [
            StreakLayer(0.012, 5.0, 0.045),
            StreakLayer(0.03, 15.0, 0.028),
            StreakLayer(0.1, 30.0, 0.014),
            StreakLayer(0.5, 30.0, 0.005),
        ]
    )
    strength: Range = (0.7, 1.1)
    grooves_per_cm2: Range = (5.0, 20.0)
    groove_length_mm: Range = (3.0, 25.0)
    groove_width_um: Range = (8.0, 18.0)
    groove_slope: Range = (0.04, 0.18)
    groove_tilt_deg: Range = (0.0, 0.6)
    waviness_slope: Range = (0.002, 0.005)
    waviness_length_mm: Range = 15.0

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.texel_um", self.texel_um, 1.0, 1000.0)
        check_range(f"{key}.angle_deg", self.angle_deg, 0.0, 180.0)
        for i, layer in enumerate(self.layers):
            at = f"{key}.layers[{i}]"
            check_range(f"{at}.groove_width_mm", layer.groove_width_mm, 0.002, 100.0)
            check_range(f"{at}.streak_length_mm", layer.streak_length_mm, 0.1, 10_000.0)
            check_range(f"{at}.rms_slope", layer.rms_slope, 0.0, 1.0)
        check_range(f"{key}.strength", self.strength, 0.0, 10.0)
        check_range(f"{key}.grooves_per_cm2", self.grooves_per_cm2, 0.0, 10_000.0)
        check_range(f"{key}.groove_length_mm", self.groove_length_mm, 0.01, 1000.0)
        check_range(f"{key}.groove_width_um", self.groove_width_um, 0.1, 10_000.0)
        check_range(f"{key}.groove_slope", self.groove_slope, 0.0, 2.0)
        check_range(f"{key}.groove_tilt_deg", self.groove_tilt_deg, 0.0, 90.0)
        check_range(f"{key}.waviness_slope", self.waviness_slope, 0.0, 0.5)
        check_range(f"{key}.waviness_length_mm", self.waviness_length_mm, 0.5, 10_000.0)


def sample_texture(
    ranges: TextureRanges, plate_mm: tuple[float, float], draw: Draw
) -> ParallelTexture:
    """Draw one plate's finish.

    Args:
        ranges: what to draw from.
        plate_mm: extent of the plate along x and y, which the deeper grooves are spread over.
        draw: the texture's stream.
    """
    seed, angle, strength = draw.seed(), draw.around(ranges.angle_deg), draw(ranges.strength)
    waviness_slope, length = draw(ranges.waviness_slope), draw(ranges.waviness_length_mm)
    width, height = plate_mm
    thin, thick = bounds(ranges.groove_width_um)
    straight, oblique = np.radians(bounds(ranges.groove_tilt_deg))
    grooves = DeepGrooves(
        count=round(draw(ranges.grooves_per_cm2) * width * height / 100),
        width_mm=width,
        height_mm=height,
        length_mm=bounds(ranges.groove_length_mm),
        thickness_mm=(thin / 1000, thick / 1000),
        slope=bounds(ranges.groove_slope),
        tilt_rad=(float(straight), float(oblique)),
    )
    layers = tuple(replace(layer, rms_slope=layer.rms_slope * strength) for layer in ranges.layers)
    return ParallelTexture(float(np.radians(angle)), layers, grooves, waviness_slope, length, seed)
