"""From linear radiance to the picture a camera delivers.

Lens blur, vignetting, exposure, fixed pattern, shot and read noise, full-well clipping and
quantisation, in this order, as in EMVA Standard 1288 (release 4.0, linear camera model), without
dark current.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from stainless.ranges import Range, check_range
from stainless.streams import Draw

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sensor:
    """One exposure.

    Attributes:
        exposure: share of the full well that unit radiance fills.
        blur_px: standard deviation of the lens' Gaussian point spread.
        full_well_e: electrons at which a pixel saturates.
        read_noise_e: standard deviation of the read noise, in electrons.
        black_level: offset of the output, as a share of full scale.
        bits: depth of the output; up to 8 is stored as uint8, more as uint16 over its full range.
        seed: of the noise that differs from exposure to exposure.
        vignetting: share of the light that is lost in the picture's corners.
        gain_noise: standard deviation of the pixels' gain, relative (PRNU).
        offset_noise_e: standard deviation of the pixels' offset, in electrons (DSNU).
        pattern_seed: of gain and offset, which belong to the camera.
    """

    exposure: float
    blur_px: float
    full_well_e: float
    read_noise_e: float
    black_level: float
    bits: int
    seed: int
    vignetting: float = 0.0
    gain_noise: float = 0.0
    offset_noise_e: float = 0.0
    pattern_seed: int = 0


@dataclass
class SensorRanges:
    """What the sensor draws from.

    Attributes:
        exposure: share of the full well that unit radiance fills.
        blur_px: standard deviation of the lens' Gaussian point spread, in pixels.
        full_well_e: electrons at which a pixel saturates.
        read_noise_e: read noise in electrons.
        black_level: offset as a share of full scale.
        bits: bit depth, 8 to 16.
        vignetting: share of the light that is lost in the corners.
        gain_noise: relative standard deviation of the pixels' gain.
        offset_noise_e: standard deviation of the pixels' offset, in electrons.
        curve: how levels are written: `linear` as an industrial camera does, `srgb` as one for
            photographs does (IEC 61966-2-1).
    """

    exposure: Range = (8.0, 10.0)
    blur_px: Range = 0.55
    full_well_e: Range = 10500.0
    read_noise_e: Range = (5.0, 8.0)
    black_level: Range = (0.01, 0.02)
    bits: int = 8
    vignetting: Range = 0.0
    gain_noise: Range = 0.0
    offset_noise_e: Range = 0.0
    curve: Literal["linear", "srgb"] = "linear"

    def validate(self, key: str) -> None:
        """Check the ranges; ValueError names the key below `key`, value and expectation."""
        check_range(f"{key}.exposure", self.exposure, above=0.0)
        check_range(f"{key}.blur_px", self.blur_px, 0.0, 20.0)
        check_range(f"{key}.full_well_e", self.full_well_e, 100.0, 1e7)
        check_range(f"{key}.read_noise_e", self.read_noise_e, 0.0, 1e4)
        check_range(f"{key}.black_level", self.black_level, 0.0, 0.5)
        if not 8 <= self.bits <= 16:
            raise ValueError(f"{key}.bits: {self.bits}, expected 8 to 16")
        check_range(f"{key}.vignetting", self.vignetting, 0.0, 1.0)
        check_range(f"{key}.gain_noise", self.gain_noise, 0.0, 0.5)
        check_range(f"{key}.offset_noise_e", self.offset_noise_e, 0.0, 1e5)


def sample_sensor(ranges: SensorRanges, draw: Draw, pattern_seed: int) -> Sensor:
    """Draw one exposure; `pattern_seed` is the same for all exposures of one camera."""
    return Sensor(
        exposure=draw(ranges.exposure),
        blur_px=draw(ranges.blur_px),
        full_well_e=draw(ranges.full_well_e),
        read_noise_e=draw(ranges.read_noise_e),
        black_level=draw(ranges.black_level),
        bits=ranges.bits,
        seed=draw.seed(),
        vignetting=draw(ranges.vignetting),
        gain_noise=draw(ranges.gain_noise),
        offset_noise_e=draw(ranges.offset_noise_e),
        pattern_seed=pattern_seed,
    )


def noise_field(sensor: Sensor, shape: tuple[int, ...], *key: int) -> Float32:
    """Return the unit Gaussian noise of one exposure, float32.

    Args:
        sensor: its seed counts.
        shape: rows, columns and, perhaps, channels.
        key: which exposure of the sample, for example view and light variant. Twins share it.
    """
    sequence = np.random.SeedSequence(sensor.seed, spawn_key=key)
    rng = np.random.Generator(np.random.SFC64(sequence))
    return rng.standard_normal(shape, dtype=np.float32)


def blur_reach_px(sensor: Sensor) -> int:
    """Return how many pixels the lens carries light sideways, at most."""
    return int(np.ceil(3 * sensor.blur_px)) if sensor.blur_px > 0 else 0


def through_lens(radiance: Float32, sensor: Sensor) -> Float32:
    """Return the radiance blurred by the lens, (H, W) or (H, W, C) float32."""
    reach = blur_reach_px(sensor)
    if reach == 0:
        return radiance
    size = (2 * reach + 1, 2 * reach + 1)
    blurred = cv2.GaussianBlur(radiance, size, sensor.blur_px, borderType=cv2.BORDER_REFLECT_101)
    # OpenCV drops a single channel.
    return np.asarray(blurred, np.float32).reshape(radiance.shape)


def develop(
    irradiance: Float32, sensor: Sensor, noise: Float32, curve: str = "linear"
) -> npt.NDArray[np.unsignedinteger]:
    """Return the camera's picture of what falls on its pixels.

    Every pixel is treated on its own, so that equal pixels give equal values.

    Args:
        irradiance: linear light behind the lens, (H, W) or (H, W, C) float32; each channel is
            a sensor of its own behind a filter of its own.
        sensor: the exposure.
        noise: unit Gaussian noise of the same shape; shot noise is Gaussian with the variance of
            its mean, which at hundreds of electrons a Poisson draw does not differ from.
        curve: how levels are written; see `SensorRanges`.

    Returns:
        uint8 up to 8 bits, else uint16, of the same shape.
    """
    electrons = irradiance * np.float32(sensor.exposure * sensor.full_well_e)
    _shade(electrons, sensor)
    deviation = np.sqrt(electrons + np.float32(sensor.read_noise_e**2))
    electrons += deviation * noise
    np.clip(electrons, 0, sensor.full_well_e, out=electrons)
    level = electrons * np.float32((1 - sensor.black_level) / sensor.full_well_e)
    level += np.float32(sensor.black_level)
    if curve == "srgb":
        level = np.where(
            level <= 0.0031308,
            12.92 * level,
            1.055 * np.maximum(level, 0.0031308) ** (1 / 2.4) - 0.055,
        )
    steps = 2**sensor.bits - 1
    level = np.rint(level * np.float32(steps))
    if sensor.bits <= 8:
        return level.astype(np.uint8)
    return np.rint(level * np.float32(65535 / steps)).astype(np.uint16)


def _shade(electrons: Float32, sensor: Sensor) -> None:
    """Apply vignetting and the pixels' fixed pattern, in place."""
    rows, columns = electrons.shape[:2]
    if sensor.vignetting > 0:
        y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None] * np.float32(rows)
        x = np.linspace(-1, 1, columns, dtype=np.float32)[None, :] * np.float32(columns)
        corner = np.float32(rows**2 + columns**2)
        loss = np.float32(sensor.vignetting) * (x * x + y * y) / corner
        electrons *= (1 - loss).reshape(rows, columns, *[1] * (electrons.ndim - 2))
    if sensor.gain_noise > 0 or sensor.offset_noise_e > 0:
        rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(sensor.pattern_seed)))
        gain = rng.standard_normal(electrons.shape, dtype=np.float32)
        electrons *= 1 + np.float32(sensor.gain_noise) * gain
        offset = rng.standard_normal(electrons.shape, dtype=np.float32)
        electrons += np.float32(sensor.offset_noise_e) * offset
        np.maximum(electrons, 0, out=electrons)
