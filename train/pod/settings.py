"""What a measurement of the probability of detection is told: the schema of its YAML file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from stainless import config
from stainless.errors import InputError


@dataclass
class Zones:
    """Zones of the light, by the mean grey level (of 255) of the clean plate where a flaw lies.

    Attributes:
        transition: darker is the dark field, where the ring's mirror image does not reach.
        bright: from here on its bright field, between them its soft edge.
        overexposed: from here on white.
    """

    transition: float = 70.0
    bright: float = 120.0
    overexposed: float = 250.0

    def of(self, grey: float) -> str:
        """Return the zone of a grey level."""
        if grey < self.transition:
            return "dark field"
        if grey < self.bright:
            return "transition"
        return "bright field" if grey < self.overexposed else "over-exposed"


#: The names that `Zones.of` gives.
ZONES = ("dark field", "transition", "bright field", "over-exposed")


@dataclass
class Settings:
    """A measurement.

    Attributes:
        title: of the page.
        out: folder of the results.
        data: folder of the renders; other models are measured by the same.
        scene: of the plates, which brings its light, metal and impurities.
        scale: resolution factor of the pictures.
        kind: of the flaw.
        size: that key of the kind's ranges which is its size, such as length_mm.
        limits: the smallest and the largest size that is placed.
        levels: another key of the ranges with values to compare, such as
            {depth_per_width: [0.1, 0.2]}.
        shared: keys of the ranges that all flaws share; the others are those of the scene.
        area_mm: width and height of the middle of the picture that flaws are placed in.
        grid: columns and rows of cells in that area, each with one flaw.
        room_mm: largest extent of a flaw, which must stay within its cell.
        batch: plates that are rendered before it is decided anew which sizes tell most.
        plates: at most so many.
        precision: enough when a90/95 lies no more than this share above a90, in every row.
        reach_px: a flagged pixel counts for a flaw so far from its mask.
        near_px: an impurity is near a flaw so far from its mask.
        zones: of the light.
        seed: of all that is drawn.
        workers: processes that render.
    """

    title: str = "Probability of detection"
    out: str = "reports/pod"
    data: str = "datasets/pod"
    scene: str = "scenes/pod_cell.yaml"
    scale: float = 0.25
    kind: str = "scratch"
    size: str | None = None
    limits: tuple[float, float] = (0.5, 8.0)
    levels: dict = field(default_factory=dict)
    shared: dict = field(default_factory=dict)
    area_mm: tuple[float, float] = (36.0, 29.0)
    grid: tuple[int, int] = (3, 2)
    room_mm: float = 10.0
    batch: int = 10
    plates: int = 100
    precision: float = 0.15
    reach_px: int = 4
    near_px: int = 8
    zones: Zones = field(default_factory=Zones)
    seed: int = 1
    workers: int = 1

    def validate(self) -> None:
        """Check every value; ValueError names key, value and expectation."""
        if self.size is None:
            raise ValueError(
                f"size: missing, expected that key of a {self.kind}'s ranges which is its size"
            )
        low, high = self.limits
        if not (0 < low < high and math.isfinite(high)):
            raise ValueError(
                f"limits: {list(self.limits)}, expected [low, high] with 0 < low < high"
            )
        self._check_levels()
        for name, least in (("batch", 1), ("plates", 1), ("reach_px", 0), ("near_px", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: {getattr(self, name)}, expected at least {least}")
        if not 1 <= self.workers <= 256:
            raise ValueError(f"workers: {self.workers}, expected 1 to 256")
        if self.seed < 0:
            raise ValueError(f"seed: {self.seed}, expected at least 0")
        if min(self.grid) < 1:
            raise ValueError(f"grid: {list(self.grid)}, expected at least [1, 1]")
        if not self.precision > 0:
            raise ValueError(f"precision: {self.precision}, expected above 0")
        if not 0 < self.room_mm <= min(self.cell_mm()):
            raise ValueError(
                f"room_mm: {self.room_mm}, expected above 0 and at most the "
                f"{min(self.cell_mm()):g} mm of a cell (area_mm, grid)"
            )
        if self.size.endswith("_mm") and high > self.room_mm:
            raise ValueError(
                f"limits: {list(self.limits)}, expected no {self.size} above the {self.room_mm:g} "
                "of room_mm"
            )
        if not self.zones.transition <= self.zones.bright <= self.zones.overexposed:
            raise ValueError("zones.transition: expected transition <= bright <= overexposed")

    def _check_levels(self) -> None:
        if len(self.levels) > 1:
            raise ValueError(f"levels: {', '.join(self.levels)}, expected one key with its values")
        for key, values in self.levels.items():
            if key == self.size:
                raise ValueError(f"levels: {key}, expected another key than the size")
            if not (isinstance(values, list) and values):
                raise ValueError(f"levels.{key}: {values}, expected a list of values")
        for name in {self.size, *self.levels} & self.shared.keys():
            raise ValueError(f"shared.{name}: given, expected none that size or levels set")

    def cell_mm(self) -> tuple[float, float]:
        """Return width and height of a cell."""
        return self.area_mm[0] / self.grid[0], self.area_mm[1] / self.grid[1]

    def level_values(self) -> list[dict]:
        """Return the keys of each level; one without keys where there are no levels."""
        for key, values in self.levels.items():
            return [{key: value} for value in values]
        return [{}]


def read_settings(path: Path, overrides: list[tuple[str, str]]) -> Settings:
    """Read and check the settings.

    Raises:
        InputError: one line that names file or option, key, value and what was expected.
    """
    settings = config.read(Settings, path, overrides)
    try:
        settings.validate()
    except ValueError as error:
        source = config.origin(Settings, path, overrides, str(error).split(":")[0])
        raise InputError(config.blamed(source, str(error))) from None
    return settings
