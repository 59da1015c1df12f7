"""Fingerprints: a film of grease in the pattern of friction ridges, where a finger touched.

The ridges are grown along an orientation field, see `impurities.fingerprint.ridges`. Over the oval
of the finger the pressure falls from the middle to the border, to the side that the finger was
tilted away from, and unevenly:

    pressure = (1 − ρ²)·(1 + unevenness·noise) − tilt·(1 + s)/2

where ρ is 1 along the oval and s runs from -1 to 1 across it. The harder the press, the wider a
ridge; noise opens gaps and pores in it. Between the ridges lies a faint haze. Moving the finger
while it lifts drags the film along, thinning exponentially; pressure, taken as the length of time
that skin was above a point, is dragged in the same way.

The mask is the contact area, where the dragged pressure exceeds `CONTACT_LIMIT`, ridges and valleys
alike. The film fades to nothing at its border, so the reflectance changes inside it and only there:

    R_out = R_in·(1 + contrast·film), film in [0, 1]

Prints that overlap both act; the later one gives mask and instance. `evaluate` is the definition,
for any points; `rasterize` is its mean over the pixels of a picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from impurities.fingerprint.ridges import TEXELS_PER_PERIOD, RidgeFlow, grow
from impurities.perlin import perlin2
from impurities.raster import (
    Array,
    Field,
    Float32,
    Mask,
    Raster,
    check_members,
    check_picture,
    pixel_edge_mm,
    pixels_near,
    points,
    within_pixels,
)
from stainless.homography import project

#: Least pressure that counts as contact; 1 is that in the middle of an even, upright finger.
CONTACT_LIMIT = 0.12

# The grown pattern is refined by this factor before grease is put on it.
_FINER = 3
# Beyond so many drag lengths the dragged pressure is below the limit, however uneven it was.
_TRAIL = 2.7
# Most points per pixel edge; a pixel that needs more is far larger than a print.
_MOST_STEPS = 24

# Lattice cells per mm of the noise that makes pressure uneven, and per ridge period of that which
# opens gaps and pores.
_UNEVEN_PER_MM = 0.22
_GAPS_PER_PERIOD = 0.7
_PORES_PER_PERIOD = 2.3


@dataclass(frozen=True)
class Fingerprint:
    """One print, in physical numbers; `dataclasses.asdict` makes it JSON.

    Attributes:
        center_mm: (x, y) of the middle of the finger's oval.
        angle_rad: counter-clockwise turn of the finger; at 0 it points along y.
        width_mm: of the oval.
        length_mm: of the oval.
        period_mm: from ridge to ridge.
        flow: where ridges run, in the finger's frame.
        contrast: relative change of reflectance below the thickest film, negative for darker.
        haze: share of the film that lies between the ridges too, in [0, 1].
        tilt: how much less pressure one side of the oval got, in [0, 1].
        tilt_rad: direction of that side in the finger's frame.
        unevenness: of the pressure, in [0, 0.5].
        gaps: how far noise breaks up the ridges, in [0, 1].
        drag_mm: (x, y) along which the finger moved on leaving; the film thins to 1/e on its way.
        noise_offset: (x, y) in [0, 256), in lattice cells: which piece of the noise is used.
        seed: of the noise that ridges grow from.
    """

    center_mm: tuple[float, float]
    angle_rad: float
    width_mm: float
    length_mm: float
    period_mm: float
    flow: RidgeFlow
    contrast: float
    haze: float
    tilt: float
    tilt_rad: float
    unevenness: float
    gaps: float
    drag_mm: tuple[float, float]
    noise_offset: tuple[float, float]
    seed: int

    @property
    def reach_mm(self) -> float:
        """No point of the print is farther from the centre."""
        return max(self.width_mm, self.length_mm) / 2.0 + _TRAIL * math.hypot(*self.drag_mm)


def evaluate(
    prints: Sequence[Fingerprint],
    x_mm: ArrayLike,
    y_mm: ArrayLike,
    reflectance: ArrayLike = 1.0,
) -> Field:
    """Evaluate prints at points of the surface.

    Args:
        prints: in the order that instances count.
        x_mm: coordinates of the points, any shape.
        y_mm: the same; broadcast against `x_mm`.
        reflectance: R_in in [0, 1], broadcast to the points.

    Raises:
        ValueError: coordinates not finite, reflectance outside [0, 1], more than 65535 prints.
    """
    check_members(prints, reflectance)
    x, y = points(x_mm, y_mm)
    after = np.array(np.broadcast_to(np.asarray(reflectance, np.float64), x.shape))
    instance = np.zeros(x.shape, dtype=np.uint16)
    for k, finger in enumerate(prints):
        film, contact = _film(finger, x, y)
        after *= 1.0 + finger.contrast * film
        instance[contact] = k + 1
    return Field(after, instance > 0, instance)


def rasterize(
    prints: Sequence[Fingerprint],
    pixel_to_surface: Array,
    shape: tuple[int, int],
    reflectance: float = 1.0,
    supersample: int = 3,
) -> Raster:
    """Evaluate prints over the pixels of a picture.

    Mask and instance equal `evaluate` at the pixel centres, bit for bit. The film is smooth over
    the texels it is kept in, so a pixel no larger than one takes the value at its centre; in a
    larger one the ratio is the mean over a grid of points no wider than texels.

    Args:
        prints: in the order that instances count.
        pixel_to_surface: (3, 3) homography from pixels to mm, see `stainless.homography`.
        shape: (rows, columns).
        reflectance: R_in in (0, 1]; the ratio does not depend on it.
        supersample: points per pixel edge at least, where a pixel is larger than a texel.

    Raises:
        ValueError: reflectance outside (0, 1], a singular homography, supersample not positive,
            or more than 65535 prints.
    """
    check_members(prints, reflectance)
    check_picture(pixel_to_surface, reflectance, supersample)
    surface_to_pixel = np.linalg.inv(pixel_to_surface)
    pixel = pixel_edge_mm(pixel_to_surface, shape)
    ratio = np.ones(shape, dtype=np.float32)
    instance = np.zeros(shape, dtype=np.uint16)
    for k, finger in enumerate(prints):
        rows, columns = pixels_near(finger.center_mm, finger.reach_mm, surface_to_pixel, shape)
        if len(rows) == 0 or len(columns) == 0:
            continue
        x, y = project(pixel_to_surface, (columns + 0.5)[None, :], (rows + 0.5)[:, None])
        film, contact = _film(finger, x, y)
        here = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        instance[here][contact] = k + 1
        texels = pixel / _texel_mm(finger)
        if texels > 1.0:
            steps = min(max(supersample, math.ceil(texels)), _MOST_STEPS)
            film = _mean_film(finger, pixel_to_surface, rows, columns, steps)
        ratio[here] *= (1.0 + finger.contrast * film).astype(np.float32)
    return Raster(ratio, instance > 0, instance)


def _mean_film(
    finger: Fingerprint,
    pixel_to_surface: Array,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    steps: int,
) -> Array:
    """Return the mean film over each pixel of a window, row by row to bound the memory."""
    film = np.empty((len(rows), len(columns)))
    for r, row in enumerate(rows):
        x, y = within_pixels(pixel_to_surface, np.full_like(columns, row), columns, steps)
        film[r] = _film(finger, x, y)[0].mean(axis=1)
    return film


def _texel_mm(finger: Fingerprint) -> float:
    return finger.period_mm / (TEXELS_PER_PERIOD * _FINER)


def _film(finger: Fingerprint, x_mm: Array, y_mm: Array) -> tuple[Array, Mask]:
    """Return the film in [0, 1] at points of any shape, and where there was contact."""
    film, pressure = _texture(finger)
    texel = _texel_mm(finger)
    dx, dy = x_mm - finger.center_mm[0], y_mm - finger.center_mm[1]
    cos, sin = math.cos(finger.angle_rad), math.sin(finger.angle_rad)
    rows, columns = film.shape
    column = (cos * dx + sin * dy) / texel + columns // 2
    row = (cos * dy - sin * dx) / texel + rows // 2
    near = (column >= 0) & (column < columns - 1) & (row >= 0) & (row < rows - 1)
    column, row = column[near], row[near]
    left, low = column.astype(np.intp), row.astype(np.intp)
    along, up = column - left, row - low
    first = low * columns + left

    def between(texture: Float32) -> Array:
        flat = texture.ravel()
        below = flat[first] * (1.0 - along) + flat[first + 1] * along
        above = flat[first + columns] * (1.0 - along) + flat[first + columns + 1] * along
        result: Array = below * (1.0 - up) + above * up
        return result

    pressed = between(pressure)
    fade = np.clip(pressed / CONTACT_LIMIT - 1.0, 0.0, 1.0)
    thickness, contact = np.zeros(near.shape), np.zeros(near.shape, dtype=np.bool_)
    thickness[near] = between(film) * fade
    contact[near] = pressed > CONTACT_LIMIT
    return thickness, contact


@lru_cache(maxsize=8)
def _texture(finger: Fingerprint) -> tuple[Float32, Float32]:
    """Return film and pressure over texels of the finger's frame, the middle one at its centre."""
    drag_x, drag_y = finger.drag_mm
    cos, sin = math.cos(finger.angle_rad), math.sin(finger.angle_rad)
    drag_u, drag_v = cos * drag_x + sin * drag_y, cos * drag_y - sin * drag_x
    half_u = finger.width_mm / 2.0 + _TRAIL * abs(drag_u)
    half_v = finger.length_mm / 2.0 + _TRAIL * abs(drag_v)
    coarse = grow(
        finger.flow,
        finger.period_mm,
        (half_u + finger.period_mm, half_v + finger.period_mm),
        finger.seed,
    )
    ridges = _refined(_refined(coarse).T).T
    texel = _texel_mm(finger)
    rows, columns = ridges.shape
    u = ((np.arange(columns) - columns // 2) * texel)[None, :]
    v = ((np.arange(rows) - rows // 2) * texel)[:, None]

    pressure = _pressure(finger, u, v)
    gaps = _noise(finger, u, v, _GAPS_PER_PERIOD / finger.period_mm)
    pores = _noise(finger, v, u, _PORES_PER_PERIOD / finger.period_mm)
    # Crests are at 1, valleys at -1: grease lies where the ridges rise above the level.
    level = 0.5 - 0.7 * pressure + finger.gaps * (2.5 * gaps + 3.0 * np.maximum(pores, 0.0))
    film = np.clip((ridges - level) / 1.2 + 0.5, 0.0, 1.0)
    film = finger.haze + (1.0 - finger.haze) * film
    film *= np.clip(0.6 + 0.6 * pressure - finger.gaps * (0.7 * gaps + 0.5 * pores), 0.0, 1.0)
    film[pressure <= 0.0] = 0.0

    dragged = [_dragged(field, drag_u / texel, drag_v / texel) for field in (film, pressure)]
    return np.clip(dragged[0], 0.0, 1.0).astype(np.float32), dragged[1].astype(np.float32)


def _pressure(finger: Fingerprint, u: Array, v: Array) -> Array:
    """Return the pressure at points of the finger's frame, 0 where there is none."""
    across, along = 2.0 * u / finger.width_mm, 2.0 * v / finger.length_mm
    side = across * math.cos(finger.tilt_rad) + along * math.sin(finger.tilt_rad)
    dome = np.maximum(1.0 - across * across - along * along, 0.0)
    uneven = 1.0 + finger.unevenness * _noise(finger, u, v, _UNEVEN_PER_MM)
    pressure: Array = np.maximum(
        dome * uneven - finger.tilt * np.maximum(1.0 + side, 0.0) / 2.0, 0.0
    )
    return pressure


def _noise(finger: Fingerprint, u: Array, v: Array, frequency_per_mm: float) -> Array:
    return perlin2(
        frequency_per_mm * u + finger.noise_offset[0], frequency_per_mm * v + finger.noise_offset[1]
    )


def _dragged(texture: Array, columns: float, rows: float) -> Array:
    """Convolve with exp(−t) along (columns, rows)·t for t >= 0, by its Fourier transform."""
    if columns == rows == 0.0:
        return texture
    across = np.fft.rfftfreq(texture.shape[1])[None, :]
    down = np.fft.fftfreq(texture.shape[0])[:, None]
    transfer = 1.0 / (1.0 + 2j * np.pi * (across * columns + down * rows))
    return np.fft.irfft2(np.fft.rfft2(texture) * transfer, s=texture.shape)


def _refined(rows: Float32) -> Float32:
    """Return `_FINER` times as many rows between the second and the last but one, by cubics.

    The interpolation is that of Catmull and Rom. The middle row stays the middle one.
    """
    t = (np.arange(_FINER) / _FINER)[:, None]
    before, low, high, after = (rows[k : len(rows) - 3 + k, None, :] for k in range(4))
    cubic = low + 0.5 * t * (
        high
        - before
        + t * (2 * before - 5 * low + 4 * high - after)
        + t * t * (3 * (low - high) + after - before)
    )
    # The last known row closes the interval, so that as many lie before the middle as behind it.
    return np.concatenate([cubic.reshape(-1, rows.shape[1]), rows[-2:-1]]).astype(np.float32)
