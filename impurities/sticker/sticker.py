"""Stickers: labels of paper or film with a number on them, round or with rounded corners.

A sticker hides the metal: it is a diffuse material with an albedo of its own, darker where there is
ink. Its surface stands `thickness_mm` above the metal. From the outline inwards it rises over
`rim_mm` as 3t² − 2t³, and air bubbles below it are domes of the height h·cos²(π·r / 2R).

The mask is what lies within the outline. Stickers that overlap hide each other, the later one on
top. `evaluate` is the definition, for any points; `rasterize` is its mean over the pixels of a
picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from impurities.raster import (
    Array,
    Field,
    Mask,
    Raster,
    check_members,
    check_picture,
    pixel_edge_mm,
    pixels_near,
    points,
    within_pixels,
)
from impurities.sticker.digits import distance, strokes
from stainless.homography import project


@dataclass(frozen=True)
class Bubble:
    """Air below a sticker.

    Attributes:
        center_mm: (u, v) from the sticker's middle, in its own frame.
        radius_mm: R.
        height_mm: h.
    """

    center_mm: tuple[float, float]
    radius_mm: float
    height_mm: float


@dataclass(frozen=True)
class Sticker:
    """One sticker, in physical numbers; `dataclasses.asdict` makes it JSON.

    Attributes:
        center_mm: (x, y) of its middle.
        angle_rad: counter-clockwise turn; at 0 its text runs along x.
        width_mm: along the text.
        height_mm: across it.
        corner_mm: radius of the corners, at most half of width and height; half of both is a dot.
        diffuse: share of light that it scatters as a diffuse material; film has some gloss besides.
        albedo: of the blank material.
        ink_albedo: of the ink.
        text: digits.
        digit_mm: their height.
        stroke_mm: width of the pen.
        slant: how far the digits lean to the right, in heights.
        wobble: how far the hand strays from the font, in heights; 0 is print.
        noise_offset: (x, y) in [0, 256), in lattice cells: along which noise it strays.
        thickness_mm: how far it stands out.
        rim_mm: over which width it rises.
        bubbles: below it.
    """

    center_mm: tuple[float, float]
    angle_rad: float
    width_mm: float
    height_mm: float
    corner_mm: float
    diffuse: float
    albedo: float
    ink_albedo: float
    text: str
    digit_mm: float
    stroke_mm: float
    slant: float
    wobble: float
    noise_offset: tuple[float, float]
    thickness_mm: float
    rim_mm: float
    bubbles: tuple[Bubble, ...] = ()

    @property
    def reach_mm(self) -> float:
        """No point of the sticker is farther from its middle."""
        return math.hypot(self.width_mm, self.height_mm) / 2.0


@dataclass(frozen=True)
class _Surface:
    """One sticker at flat arrays of points; zero, but for the distances, outside of it.

    Attributes:
        inside: where its outline encloses a point.
        albedo: of paper or ink.
        slope_x: dz/dx in the axes of the metal.
        slope_y: dz/dy.
        outline_mm: distance to the outline, negative within.
        ink_mm: distance to the border of the ink, negative within.
    """

    inside: Mask
    albedo: Array
    slope_x: Array
    slope_y: Array
    outline_mm: Array
    ink_mm: Array


def evaluate(
    stickers: Sequence[Sticker],
    x_mm: ArrayLike,
    y_mm: ArrayLike,
    reflectance: ArrayLike = 1.0,
) -> Field:
    """Evaluate stickers at points of the surface.

    Args:
        stickers: in the order that instances count.
        x_mm: coordinates of the points, any shape.
        y_mm: the same; broadcast against `x_mm`.
        reflectance: R_in in [0, 1], broadcast to the points; a sticker leaves the metal's as it is.

    Raises:
        ValueError: coordinates not finite, reflectance outside [0, 1], more than 65535 stickers.
    """
    check_members(stickers, reflectance)
    x, y = points(x_mm, y_mm)
    before = np.array(np.broadcast_to(np.asarray(reflectance, np.float64), x.shape))
    shape, x, y = x.shape, x.ravel(), y.ravel()
    instance = np.zeros(x.shape, dtype=np.uint16)
    diffuse, albedo, slope_x, slope_y = np.zeros((4, *x.shape))
    for k, sticker in enumerate(stickers):
        surface = _surface(sticker, x, y)
        at = surface.inside
        instance[at] = k + 1
        diffuse[at] = sticker.diffuse
        albedo[at] = surface.albedo[at]
        slope_x[at], slope_y[at] = surface.slope_x[at], surface.slope_y[at]
    instance = instance.reshape(shape)
    layers = (layer.reshape(shape) for layer in (diffuse, albedo, slope_x, slope_y))
    return Field(before, instance > 0, instance, *layers)


def rasterize(
    stickers: Sequence[Sticker],
    pixel_to_surface: Array,
    shape: tuple[int, int],
    reflectance: float = 1.0,
    supersample: int = 3,
) -> Raster:
    """Evaluate stickers over the pixels of a picture.

    Mask and instance equal `evaluate` at the pixel centres, bit for bit. Diffuse share, albedo and
    slopes are the mean over supersample² points in pixels along the outline, the rim and the ink's
    border; elsewhere they are smooth over a pixel and its centre stands for it.

    Args:
        stickers: in the order that instances count.
        pixel_to_surface: (3, 3) homography from pixels to mm, see `stainless.homography`.
        shape: (rows, columns).
        reflectance: R_in in (0, 1]; the ratio is 1 whatever it is.
        supersample: points per pixel edge, at least 1.

    Raises:
        ValueError: reflectance outside (0, 1], a singular homography, supersample not positive,
            or more than 65535 stickers.
    """
    check_members(stickers, reflectance)
    check_picture(pixel_to_surface, reflectance, supersample)
    surface_to_pixel = np.linalg.inv(pixel_to_surface)
    pixel = pixel_edge_mm(pixel_to_surface, shape)
    instance = np.zeros(shape, dtype=np.uint16)
    # Albedo counts by the share of the pixel that has it, until all stickers are in place.
    diffuse, reflected, slope_x, slope_y = np.zeros((4, *shape), dtype=np.float32)
    for k, sticker in enumerate(stickers):
        rows, columns = pixels_near(sticker.center_mm, sticker.reach_mm, surface_to_pixel, shape)
        x, y = project(pixel_to_surface, (columns + 0.5)[None, :], (rows + 0.5)[:, None])
        r, c = np.nonzero(_outline(sticker, *_own_frame(sticker, x, y)) < pixel)
        if len(r) == 0:
            continue
        surface = _surface(sticker, x[r, c], y[r, c], pixel)
        r, c = rows[r], columns[c]
        instance[r[surface.inside], c[surface.inside]] = k + 1

        share = surface.inside.astype(np.float64)
        layers = [share, surface.albedo, surface.slope_x, surface.slope_y]
        band = surface.outline_mm > -(sticker.rim_mm + pixel)
        band |= np.abs(surface.ink_mm) < pixel
        fine_x, fine_y = within_pixels(pixel_to_surface, r[band], c[band], supersample)
        fine = _surface(sticker, fine_x.ravel(), fine_y.ravel())
        for layer, points_of_layer in zip(
            layers, (fine.inside, fine.albedo, fine.slope_x, fine.slope_y), strict=True
        ):
            layer[band] = points_of_layer.reshape(fine_x.shape).mean(axis=1)
        left = 1.0 - share
        diffuse[r, c] = sticker.diffuse * share + left * diffuse[r, c]
        reflected[r, c] = sticker.diffuse * layers[1] + left * reflected[r, c]
        slope_x[r, c] = layers[2] + left * slope_x[r, c]
        slope_y[r, c] = layers[3] + left * slope_y[r, c]
    albedo = np.divide(reflected, diffuse, out=np.zeros_like(diffuse), where=diffuse > 0)
    ratio = np.ones(shape, dtype=np.float32)
    return Raster(ratio, instance > 0, instance, diffuse, albedo, slope_x, slope_y)


def _own_frame(sticker: Sticker, x: Array, y: Array) -> tuple[Array, Array]:
    """Return the points from the middle of the sticker, u along its text."""
    dx, dy = x - sticker.center_mm[0], y - sticker.center_mm[1]
    cos, sin = math.cos(sticker.angle_rad), math.sin(sticker.angle_rad)
    return cos * dx + sin * dy, cos * dy - sin * dx


def _outline(sticker: Sticker, u: Array, v: Array) -> Array:
    """Return the signed distance to the outline, negative within."""
    beyond_u, beyond_v = _beyond(sticker, u, v)
    outer = np.hypot(np.maximum(beyond_u, 0.0), np.maximum(beyond_v, 0.0))
    signed: Array = outer + np.minimum(np.maximum(beyond_u, beyond_v), 0.0) - sticker.corner_mm
    return signed


def _outwards(sticker: Sticker, u: Array, v: Array) -> tuple[Array, Array]:
    """Return the gradient of the distance to the outline."""
    beyond_u, beyond_v = _beyond(sticker, u, v)
    out_u, out_v = np.maximum(beyond_u, 0.0), np.maximum(beyond_v, 0.0)
    outer = np.hypot(out_u, out_v)
    rounded = outer > 0.0
    length = np.where(rounded, outer, 1.0)
    sideways = beyond_u > beyond_v
    return (
        np.where(rounded, out_u / length, sideways) * np.sign(u),
        np.where(rounded, out_v / length, ~sideways) * np.sign(v),
    )


def _beyond(sticker: Sticker, u: Array, v: Array) -> tuple[Array, Array]:
    """Return how far points lie outside of the rectangle of the corners' centres."""
    return (
        np.abs(u) - (sticker.width_mm / 2.0 - sticker.corner_mm),
        np.abs(v) - (sticker.height_mm / 2.0 - sticker.corner_mm),
    )


def _surface(sticker: Sticker, x: Array, y: Array, reach_mm: float = 0.0) -> _Surface:
    """Evaluate one sticker at flat arrays of points; distances to ink are known up to a reach."""
    u, v = _own_frame(sticker, x, y)
    outline = _outline(sticker, u, v)
    inside = outline < 0.0
    share = inside.astype(np.float64)

    digits = strokes(
        sticker.text, sticker.digit_mm, sticker.slant, sticker.wobble, sticker.noise_offset
    )
    half = sticker.stroke_mm / 2.0
    ink = distance(digits, u, v, half + reach_mm) - half
    albedo = np.where(ink < 0.0, sticker.ink_albedo, sticker.albedo)

    slope_u, slope_v = np.zeros((2, *u.shape))
    rim = np.flatnonzero(inside & (outline > -sticker.rim_mm))
    t = -outline[rim] / sticker.rim_mm
    steepness = -sticker.thickness_mm / sticker.rim_mm * 6.0 * t * (1.0 - t)
    outwards_u, outwards_v = _outwards(sticker, u[rim], v[rim])
    slope_u[rim], slope_v[rim] = steepness * outwards_u, steepness * outwards_v
    for bubble in sticker.bubbles:
        du, dv = u - bubble.center_mm[0], v - bubble.center_mm[1]
        near = np.flatnonzero(du * du + dv * dv < bubble.radius_mm**2)
        du, dv = du[near], dv[near]
        wave = math.pi / bubble.radius_mm
        # sin(πr/R)/r by numpy's sinc, which knows its value at 0.
        fall = -bubble.height_mm * wave / 2.0 * wave * np.sinc(np.hypot(du, dv) / bubble.radius_mm)
        slope_u[near] += fall * du
        slope_v[near] += fall * dv
    cos, sin = math.cos(sticker.angle_rad), math.sin(sticker.angle_rad)
    slope_x, slope_y = cos * slope_u - sin * slope_v, sin * slope_u + cos * slope_v
    return _Surface(inside, albedo * share, slope_x * share, slope_y * share, outline, ink)
