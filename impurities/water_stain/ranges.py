"""From ranges to water stains: what may be drawn, the checks on it, and the draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, unique

import numpy as np
from numpy.typing import NDArray

from impurities.draws import Draws
from impurities.jittered_cells import cells_over, guaranteed_reach_mm, jittered_center
from impurities.perlin import PERIOD
from impurities.water_stain.heterogeneity import Heterogeneity, Ring
from impurities.water_stain.stain import WaterStain
from stainless.placement import Area, check_area, check_centers
from stainless.ranges import Range, bounds, check_range, shown


@dataclass
class HeterogeneityRanges:
    """Variation inside the outline, beyond the paper; one mode and no ring is none.

    Attributes:
        modes: how many reflectance modes, as patches; 1 is the paper's single one.
        mode_scale: factor of each mode on the change of reflectance; above 0.
        mode_frequency_per_mm: lattice cells per mm of the noise that selects the mode; about
            1 / frequency is the size of a patch.
        rings: how many drying rings; the first lies along the outline, the others within.
        ring_position: d̂ of the inner rings, in (0, 1).
        ring_width: half the width of a ring, in d̂; above 0.
        ring_depth: change of reflectance at a ring's crest, negative for darker.
    """

    modes: int = 1
    mode_scale: Range = (0.35, 1.3)
    mode_frequency_per_mm: Range = 0.6
    rings: int = 0
    ring_position: Range = (0.45, 0.9)
    ring_width: Range = (0.03, 0.07)
    ring_depth: Range = (-0.12, -0.04)


@dataclass
class WaterStainRanges:
    """What water stains on a surface may be like; each stain draws its own numbers.

    A range is a number or (low, high), drawn uniformly. The defaults are not the paper's, which
    gives none: they were chosen by eye, for stains of dried tap water on brushed metal that cover
    about a fifth of it and seldom meet; where two meet, the paper's rule cuts them straight.

    Attributes:
        cell_size_mm: G, edge of the square cells that hold at most one stain each; drawn once a
            surface.
        jitter: how far a centre strays within its cell: 0 is the middle, 1 the whole cell.
        density: share of the cells that hold a stain, in [0, 1].
        density_map: factors in [0, 1] on the density, rows from low to high y and columns from low
            to high x, stretched over the area; None is the same density everywhere.
        centers_mm: (x, y) of every stain, instead of cells and density; None draws them.
        radius_mm: r, radius before perturbation.
        amplitude_mm: A, how far the outline strays from r; below every radius.
        frequency_per_mm: f, lattice cells per mm of the outline's noise; higher is more rugged.
        gamma: γ > 0; the higher, the narrower the dark rim.
        alpha: α in [-1, 1], change of reflectance at the outline, negative for darker.
        heterogeneity: variation inside the outline, off by default.
    """

    cell_size_mm: Range = 7.0
    jitter: float = 0.6
    density: float = 0.8
    density_map: list[list[float]] | None = None
    centers_mm: list[tuple[float, float]] | None = None
    radius_mm: Range = (1.1, 2.7)
    amplitude_mm: Range = (0.4, 0.95)
    frequency_per_mm: Range = (0.4, 0.7)
    gamma: Range = (2.5, 6.0)
    alpha: Range = (-0.45, -0.2)
    heterogeneity: HeterogeneityRanges = field(default_factory=HeterogeneityRanges)


@unique
class _Stream(IntEnum):
    """One stream of random numbers per quantity, so that none depends on another's range.

    The numbers are part of what a seed means: append, never renumber.
    """

    PRESENCE = 0
    CENTER_X = 1
    CENTER_Y = 2
    RADIUS = 3
    AMPLITUDE = 4
    FREQUENCY = 5
    GAMMA = 6
    ALPHA = 7
    NOISE_OFFSET = 8
    MODE_SCALE = 9
    MODE_FREQUENCY = 10
    MODE_OFFSET = 11
    RING_POSITION = 12
    RING_WIDTH = 13
    RING_DEPTH = 14
    CELL_SIZE = 15


def reach_mm(ranges: WaterStainRanges) -> float:
    """Return how far from its centre any stain of these ranges can extend."""
    return bounds(ranges.radius_mm)[1] + bounds(ranges.amplitude_mm)[1]


def check_reach(ranges: WaterStainRanges) -> None:
    """Check that a stain ends before a centre can go unseen.

    The nearest centre is looked for in a point's own and neighbouring cells; a stain that reaches
    farther than `guaranteed_reach_mm` could be missed there. Given centres know no cells.

    Raises:
        ValueError: one line with keys, value and limit.
    """
    size = bounds(ranges.cell_size_mm)[0]
    limit = guaranteed_reach_mm(size, ranges.jitter)
    reach = reach_mm(ranges)
    if ranges.centers_mm is None and reach > limit:
        raise ValueError(
            f"radius_mm + amplitude_mm: {reach:g} at most, expected within {limit:g}, the reach of "
            f"the neighbouring cells for cell_size_mm {size:g} and jitter "
            f"{ranges.jitter:g}"
        )


def validate(ranges: WaterStainRanges) -> None:
    """Check every field and the reach.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    check_range("cell_size_mm", ranges.cell_size_mm, above=0.0)
    check_range("jitter", ranges.jitter, 0.0, 1.0)
    check_range("density", ranges.density, 0.0, 1.0)
    check_range("radius_mm", ranges.radius_mm, above=0.0)
    check_range("amplitude_mm", ranges.amplitude_mm, least=0.0)
    check_range("frequency_per_mm", ranges.frequency_per_mm, above=0.0)
    check_range("gamma", ranges.gamma, above=0.0)
    check_range("alpha", ranges.alpha, -1.0, 1.0)
    smallest = bounds(ranges.radius_mm)[0]
    if bounds(ranges.amplitude_mm)[1] >= smallest:
        raise ValueError(
            f"amplitude_mm: {shown(ranges.amplitude_mm)}, expected below every radius_mm, so below "
            f"{smallest:g}"
        )
    if ranges.density_map is not None:
        _density_map(ranges.density_map)
    check_centers(ranges.centers_mm)

    inner = ranges.heterogeneity
    if inner.modes < 1:
        raise ValueError(f"heterogeneity.modes: {inner.modes}, expected at least 1")
    if inner.rings < 0:
        raise ValueError(f"heterogeneity.rings: {inner.rings}, expected at least 0")
    check_range("heterogeneity.mode_scale", inner.mode_scale, above=0.0)
    check_range("heterogeneity.mode_frequency_per_mm", inner.mode_frequency_per_mm, above=0.0)
    check_range("heterogeneity.ring_position", inner.ring_position, 0.0, 1.0)
    check_range("heterogeneity.ring_width", inner.ring_width, most=1.0, above=0.0)
    check_range("heterogeneity.ring_depth", inner.ring_depth, -1.0, 1.0)
    check_reach(ranges)


def sample_stains(
    ranges: WaterStainRanges, area_mm: Area, rng: np.random.Generator
) -> list[WaterStain]:
    """Draw the stains of one surface.

    Every quantity has a stream of its own over all cells in one order: widening one range moves no
    other number, and a higher density only adds stains.

    Args:
        ranges: what may be drawn.
        area_mm: (x0, y0, x1, y1) of the surface. Stains have their centre on it and may reach over
            its border; for a mere view of it, grow the view by `reach_mm`.
        rng: read for a fixed amount, whatever the ranges.

    Returns:
        The stains, ordered by cell.

    Raises:
        ValueError: as `validate`, or the area is empty.
    """
    validate(ranges)
    check_area(area_mm)
    x0, y0, x1, y1 = area_mm
    draws = Draws(rng)
    uniform = draws.uniform

    if ranges.centers_mm is not None:
        x, y = np.array(ranges.centers_mm, dtype=np.float64).reshape(-1, 2).T
        present = np.ones(x.shape, dtype=np.bool_)
    else:
        size = float(draws.within(ranges.cell_size_mm, _Stream.CELL_SIZE))
        jitter = ranges.jitter
        i, j = (cell.ravel() for cell in cells_over(area_mm, size))
        x = jittered_center(i, size, jitter, uniform(_Stream.CENTER_X, len(i)))
        y = jittered_center(j, size, jitter, uniform(_Stream.CENTER_Y, len(j)))
        density = ranges.density * _density_at(ranges.density_map, area_mm, x, y)
        present = uniform(_Stream.PRESENCE, len(i)) < density
        present &= (x >= x0) & (x < x1) & (y >= y0) & (y < y1)

    count = len(x)
    radius = draws.within(ranges.radius_mm, _Stream.RADIUS, count)
    amplitude = draws.within(ranges.amplitude_mm, _Stream.AMPLITUDE, count)
    frequency = draws.within(ranges.frequency_per_mm, _Stream.FREQUENCY, count)
    gamma = draws.within(ranges.gamma, _Stream.GAMMA, count)
    alpha = draws.within(ranges.alpha, _Stream.ALPHA, count)
    offset = uniform(_Stream.NOISE_OFFSET, count, 2) * PERIOD

    inner = ranges.heterogeneity
    varied = inner.modes > 1 or inner.rings > 0
    # Modes and rings lead the shape: one more of them leaves those before as they were.
    scales = draws.within(inner.mode_scale, _Stream.MODE_SCALE, inner.modes, count)
    mode_frequency = draws.within(inner.mode_frequency_per_mm, _Stream.MODE_FREQUENCY, count)
    mode_offset = uniform(_Stream.MODE_OFFSET, count, 2) * PERIOD
    position = draws.within(inner.ring_position, _Stream.RING_POSITION, inner.rings, count)
    width = draws.within(inner.ring_width, _Stream.RING_WIDTH, inner.rings, count)
    depth = draws.within(inner.ring_depth, _Stream.RING_DEPTH, inner.rings, count)
    # The first ring is where the drop's edge dried: its crest lies along the outline.
    position[:1] = 1.0 - width[:1]

    def heterogeneity(k: int) -> Heterogeneity | None:
        if not varied:
            return None
        rings = zip(position[:, k], width[:, k], depth[:, k], strict=True)
        return Heterogeneity(
            mode_scales=tuple(scales[:, k].tolist()),
            mode_frequency_per_mm=float(mode_frequency[k]),
            mode_offset=(float(mode_offset[k, 0]), float(mode_offset[k, 1])),
            rings=tuple(Ring(float(p), float(w), float(d)) for p, w, d in rings),
        )

    return [
        WaterStain(
            center_mm=(float(x[k]), float(y[k])),
            radius_mm=float(radius[k]),
            amplitude_mm=float(amplitude[k]),
            frequency_per_mm=float(frequency[k]),
            gamma=float(gamma[k]),
            alpha=float(alpha[k]),
            noise_offset=(float(offset[k, 0]), float(offset[k, 1])),
            heterogeneity=heterogeneity(k),
        )
        for k in np.flatnonzero(present)
    ]


def _density_map(values: list[list[float]]) -> NDArray[np.float64]:
    widths = {len(row) for row in values}
    if len(widths) != 1 or 0 in widths:
        raise ValueError(
            f"density_map: rows of {sorted(widths)} values, expected rows of equal, positive length"
        )
    table = np.array(values, dtype=np.float64)
    wrong = table[~((table >= 0) & (table <= 1))]
    if wrong.size:
        raise ValueError(f"density_map: {wrong[0]}, expected values within [0, 1]")
    return table


def _density_at(
    values: list[list[float]] | None,
    area_mm: Area,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the factor on the density at each centre."""
    if values is None:
        return np.ones(x.shape)
    table = _density_map(values)
    x0, y0, x1, y1 = area_mm
    rows, columns = table.shape
    row = np.clip((y - y0) / (y1 - y0) * rows, 0, rows - 1).astype(np.intp)
    column = np.clip((x - x0) / (x1 - x0) * columns, 0, columns - 1).astype(np.intp)
    return table[row, column]
