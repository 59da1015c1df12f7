"""Water stains: closed irregular outlines within which the surface darkens towards the edge.

Source: Mao et al., "Sequential PatchCore: Anomaly Detection for Surface Inspection using Synthetic
Impurities", arXiv 2501.09579, Algorithm 1. For a surface point p with nearest stain centre c:

    d = |p − c|,  r' = r + A·perlin(f·p + offset),  p is stained if d < r'
    d̂ = d / r',   R_out = clip(R_in + d̂^γ·α, 0, 1)

The paper prints no sign for α and says that edges are darker: here α is negative. Only the nearest
centre counts: where two stains would overlap, each keeps its side of the line halfway.

Reflectance, mask and instance come from one evaluation, so they cannot disagree. `evaluate` is the
definition, for any points; `rasterize` is the same for the pixels of a picture, only faster.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from impurities.jittered_cells import nearest_center, squared_distance
from impurities.perlin import perlin2
from impurities.raster import (
    Array,
    Field,
    Raster,
    check_members,
    check_picture,
    pixel_edge_mm,
    points,
    window,
    within_pixels,
)
from impurities.water_stain.heterogeneity import Heterogeneity
from stainless.homography import project

Rivals = list[tuple[int, tuple[float, float]]]


@dataclass(frozen=True)
class WaterStain:
    """One stain, in physical numbers; `dataclasses.asdict` makes it JSON.

    Attributes:
        center_mm: c, (x, y) on the surface.
        radius_mm: r, before perturbation.
        amplitude_mm: A, the largest deviation of the outline from r; below r.
        frequency_per_mm: f, lattice cells of the noise per mm.
        gamma: γ > 0; the higher, the narrower the dark rim.
        alpha: α in [-1, 1], the change of reflectance at the outline.
        noise_offset: (x, y) in [0, 256), in lattice cells: which piece of the noise is used.
        heterogeneity: what the paper leaves out; None is the plain Algorithm 1.
    """

    center_mm: tuple[float, float]
    radius_mm: float
    amplitude_mm: float
    frequency_per_mm: float
    gamma: float
    alpha: float
    noise_offset: tuple[float, float]
    heterogeneity: Heterogeneity | None = None

    @property
    def reach_mm(self) -> float:
        """No point of the stain is farther from the centre: noise lies in [-1, 1]."""
        return self.radius_mm + self.amplitude_mm


def evaluate(
    stains: Sequence[WaterStain],
    x_mm: ArrayLike,
    y_mm: ArrayLike,
    reflectance: ArrayLike = 1.0,
) -> Field:
    """Evaluate Algorithm 1 at points of the surface.

    Args:
        stains: in the order that instances count.
        x_mm: coordinates of the points, any shape.
        y_mm: the same; broadcast against `x_mm`.
        reflectance: R_in in [0, 1], broadcast to the points.

    Raises:
        ValueError: coordinates not finite, reflectance outside [0, 1], or more than 65535 stains.
    """
    check_members(stains, reflectance)
    x, y = points(x_mm, y_mm)
    result = np.broadcast_to(np.asarray(reflectance, dtype=np.float64), x.shape).flatten()
    shape, x, y = x.shape, x.ravel(), y.ravel()
    instance = np.zeros(x.shape, dtype=np.uint16)
    centers = [stain.center_mm for stain in stains]
    nearest = nearest_center(centers, x, y)
    by_stain = np.argsort(nearest, kind="stable")
    borders = np.searchsorted(nearest[by_stain], np.arange(len(stains) + 1))
    for k, stain in enumerate(stains):
        at = by_stain[borders[k] : borders[k + 1]]
        distance, outline = _outline(
            stain, x[at], y[at], squared_distance(x[at], y[at], centers[k])
        )
        inside = distance < outline
        at = at[inside]
        relative = distance[inside] / outline[inside]
        result[at] = _reflectance(stain, relative, x[at], y[at], result[at])
        instance[at] = k + 1
    instance = instance.reshape(shape)
    return Field(result.reshape(shape), instance > 0, instance)


def rasterize(
    stains: Sequence[WaterStain],
    pixel_to_surface: Array,
    shape: tuple[int, int],
    reflectance: float = 1.0,
    supersample: int = 3,
) -> Raster:
    """Evaluate Algorithm 1 over the pixels of a picture.

    Mask and instance equal `evaluate` at the pixel centres, bit for bit. The ratio is the mean over
    supersample² points in pixels that an outline can cross or a drying ring covers; elsewhere the
    field is smooth over a pixel and its centre stands for it.

    Args:
        stains: in the order that instances count.
        pixel_to_surface: (3, 3) homography from pixels to mm, see `stainless.homography`; column c
            and row r have their centre at (c + 0.5, r + 0.5).
        shape: (rows, columns).
        reflectance: R_in in (0, 1], of the clean surface.
        supersample: points per pixel edge, at least 1.

    Raises:
        ValueError: reflectance outside (0, 1], a singular homography, supersample not positive,
            or more than 65535 stains.
    """
    check_members(stains, reflectance)
    check_picture(pixel_to_surface, reflectance, supersample)
    surface_to_pixel = np.linalg.inv(pixel_to_surface)
    pixel = pixel_edge_mm(pixel_to_surface, shape)
    ratio = np.ones(shape, dtype=np.float32)
    instance = np.zeros(shape, dtype=np.uint16)
    for k, stain in enumerate(stains):
        rows, columns = window(stain.center_mm, stain.reach_mm, surface_to_pixel, shape)
        if len(rows) == 0 or len(columns) == 0:
            continue
        x, y = project(pixel_to_surface, (columns + 0.5)[None, :], (rows + 0.5)[:, None])
        rivals = _rivals(stains, k)
        distance, outline, inside = _owned(stain, k, rivals, x, y)
        core, band = _core_and_band(inside)
        # The window may be one pixel larger than the picture, to see what crosses its border.
        for mask in (inside, core, band):
            mask[(rows < 0) | (rows >= shape[0])] = False
            mask[:, (columns < 0) | (columns >= shape[1])] = False

        r, c = np.nonzero(inside)
        instance[rows[r], columns[c]] = k + 1

        r, c = np.nonzero(core)
        relative = distance[r, c] / outline[r, c]
        if stain.heterogeneity is not None:
            # About the most that d̂ changes from a pixel's centre to its corner.
            margin = 2.0 * pixel / outline[r, c]
            uneven = stain.heterogeneity.on_a_ring(relative, margin)
            band[r[uneven], c[uneven]] = True
            r, c, relative = r[~uneven], c[~uneven], relative[~uneven]
        change = _relative_change(stain, relative, x[r, c], y[r, c], reflectance)
        ratio[rows[r], columns[c]] = 1.0 + change

        r, c = np.nonzero(band)
        fine_x, fine_y = (
            fine.ravel()
            for fine in within_pixels(pixel_to_surface, rows[r], columns[c], supersample)
        )
        distance, outline, inside = _owned(stain, k, rivals, fine_x, fine_y)
        fine = np.zeros(fine_x.shape)
        relative = distance[inside] / outline[inside]
        fine[inside] = _relative_change(
            stain, relative, fine_x[inside], fine_y[inside], reflectance
        )
        # Added, since neighbouring stains may share a pixel; every point has one owner only.
        ratio[rows[r], columns[c]] += fine.reshape(len(r), supersample**2).mean(axis=1)
    return Raster(ratio, instance > 0, instance)


def _outline(stain: WaterStain, x: Array, y: Array, squared: Array) -> tuple[Array, Array]:
    """Return d and r'."""
    noise = perlin2(
        stain.frequency_per_mm * x + stain.noise_offset[0],
        stain.frequency_per_mm * y + stain.noise_offset[1],
    )
    return np.sqrt(squared), stain.radius_mm + stain.amplitude_mm * noise


def _reflectance(
    stain: WaterStain, relative: Array, x: Array, y: Array, before: float | Array
) -> Array:
    """Return R_out at flat arrays of points inside the outline."""
    change = np.power(relative, stain.gamma) * stain.alpha
    if stain.heterogeneity is not None:
        change = stain.heterogeneity.vary(change, relative, x, y)
    return np.clip(before + change, 0.0, 1.0)


def _relative_change(
    stain: WaterStain, relative: Array, x: Array, y: Array, reflectance: float
) -> Array:
    """Return R_out / R_in − 1 at flat arrays of points inside the outline."""
    return _reflectance(stain, relative, x, y, reflectance) / reflectance - 1.0


def _rivals(stains: Sequence[WaterStain], k: int) -> Rivals:
    """Return the other centres that can be nearest to a point within reach of stain k."""
    stain = stains[k]
    # A point within reach has its own centre nearer than any centre beyond twice the reach; the
    # small surplus covers rounding.
    far = 2.0 * stain.reach_mm * (1.0 + 1e-9)
    return [
        (j, other.center_mm)
        for j, other in enumerate(stains)
        if j != k and math.dist(other.center_mm, stain.center_mm) <= far
    ]


def _owned(
    stain: WaterStain, k: int, rivals: Rivals, x: Array, y: Array
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return d, r' and where a point is inside stain k with no other centre nearer."""
    squared = squared_distance(x, y, stain.center_mm)
    distance, outline = _outline(stain, x, y, squared)
    inside = distance < outline
    for j, center in rivals:
        other = squared_distance(x, y, center)
        inside &= squared < other if j < k else squared <= other
    return distance, outline, inside


def _core_and_band(
    inside: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels all of whose 3×3 are inside, and those where only some are."""
    padded = np.pad(inside, 1, mode="edge")
    every = padded[:-2] & padded[1:-1] & padded[2:]
    some = padded[:-2] | padded[1:-1] | padded[2:]
    core = every[:, :-2] & every[:, 1:-1] & every[:, 2:]
    band = (some[:, :-2] | some[:, 1:-1] | some[:, 2:]) & ~core
    return core, band
