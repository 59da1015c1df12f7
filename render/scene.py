"""The typed scene: what a YAML file of `scenes/` may say, with units and sane limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Any

from impurities.registry import IMPURITIES
from render.camera import CameraRanges
from render.lights.ring import LightRanges
from render.sensor import SensorRanges
from render.series import Series
from render.surface.metal import MetalRanges
from render.surface.parallel_texture import TextureRanges
from render.surface.registry import FLAWS
from stainless import config
from stainless.errors import InputError
from stainless.ranges import bounds, shown

#: One field a kind of impurity, absent or null for none.
ImpurityRanges = make_dataclass(
    "ImpurityRanges",
    [(name, impurity.ranges | None, None) for name, impurity in IMPURITIES.items()],
)

#: The same for defects; only the defective parts of a series carry them.
DefectRanges = make_dataclass(
    "DefectRanges",
    [(name, defect.ranges | None, None) for name, defect in FLAWS.items()],
)


@dataclass
class Plate:
    """The part.

    Attributes:
        size_mm: extent along x (the grooves), y and z.
    """

    size_mm: tuple[float, float, float] = (120.0, 100.0, 3.0)

    def validate(self, key: str) -> None:
        """Check the size; ValueError names the key below `key`, value and expectation."""
        if not all(0.1 <= edge <= 5000 for edge in self.size_mm):
            raise ValueError(f"{key}.size_mm: {list(self.size_mm)}, expected 0.1 to 5000 mm")


@dataclass
class Rendering:
    """How Cycles samples.

    Attributes:
        samples: paths per pixel where the result is denoised.
        denoise: whether Open Image Denoise smooths the clean picture.
        samples_undenoised: paths per pixel where it is not: a Blender without Open Image Denoise,
            or twins that are both rendered.
    """

    samples: int = 16
    denoise: bool = True
    samples_undenoised: int = 48

    def validate(self, key: str) -> None:
        """Check the counts; ValueError names the key below `key`, value and expectation."""
        for name in ("samples", "samples_undenoised"):
            if not 1 <= getattr(self, name) <= 65536:
                raise ValueError(f"{key}.{name}: {getattr(self, name)}, expected 1 to 65536")


@dataclass
class Scene:
    """One dataset to render.

    Attributes:
        samples: how many plates.
        seed: of everything that is drawn.
        scale: resolution factor of the pictures.
        twins: `ratio` derives the stained twin from the clean picture, `render` renders both.
        test_every: every n-th sample goes to `test/good` instead of `train/good`; 0 is none.
        series: an inspection series instead of twins.
        plate: the part.
        metal: its optical surface.
        texture: its parallel finish.
        impurities: what lies on it.
        defects: what is wrong with it, where it is a defective part of a series.
        lights: the ring light.
        camera: where it is seen from.
        sensor: what the camera makes of the light.
        rendering: how Cycles samples.
    """

    samples: int = 1
    seed: int = 1
    scale: float = 1.0
    twins: str = "ratio"
    test_every: int = 0
    series: Series | None = None
    plate: Plate = field(default_factory=Plate)
    metal: MetalRanges = field(default_factory=MetalRanges)
    texture: TextureRanges = field(default_factory=TextureRanges)
    impurities: ImpurityRanges = field(default_factory=ImpurityRanges)  # type: ignore[valid-type]
    defects: DefectRanges = field(default_factory=DefectRanges)  # type: ignore[valid-type]
    lights: LightRanges = field(default_factory=LightRanges)
    camera: CameraRanges = field(default_factory=CameraRanges)
    sensor: SensorRanges = field(default_factory=SensorRanges)
    rendering: Rendering = field(default_factory=Rendering)

    def validate(self) -> None:
        """Check every value; ValueError names key, value and expectation."""
        if not 1 <= self.samples <= 1_000_000:
            raise ValueError(f"samples: {self.samples}, expected 1 to 1000000")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed: {self.seed}, expected 0 to 2^63 - 1")
        if not 0.005 <= self.scale <= 8:
            raise ValueError(f"scale: {self.scale}, expected 0.005 to 8")
        if self.twins not in ("ratio", "render"):
            raise ValueError(f"twins: {self.twins}, expected ratio or render")
        if self.test_every < 0 or self.test_every == 1:
            raise ValueError(f"test_every: {self.test_every}, expected 0, or 2 and more")
        for name in ("plate", "metal", "texture", "lights", "camera", "sensor", "rendering"):
            getattr(self, name).validate(name)
        for kind, registry, chosen in (
            ("impurities", IMPURITIES, self.chosen_impurities()),
            ("defects", FLAWS, self.chosen_defects()),
        ):
            for name, ranges in chosen.items():
                try:
                    registry[name].validate(ranges)
                except ValueError as error:
                    raise ValueError(f"{kind}.{name}.{error}") from None
        self._check_series()
        self._check_fit()

    def chosen_impurities(self) -> dict[str, Any]:
        """Return the ranges of each kind of impurity that is switched on, by name."""
        ranges = {name: getattr(self.impurities, name) for name in IMPURITIES}
        return {name: value for name, value in ranges.items() if value is not None}

    def chosen_defects(self) -> dict[str, Any]:
        """Return the ranges of each kind of defect that is switched on, by name."""
        ranges = {name: getattr(self.defects, name) for name in FLAWS}
        return {name: value for name, value in ranges.items() if value is not None}

    def makes_twins(self) -> bool:
        """Tell whether every picture is rendered clean and with its impurities."""
        return self.series is None and bool(self.chosen_impurities())

    def _check_series(self) -> None:
        """Check what a series or its absence asks of the other keys."""
        if self.series is None:
            for name in self.chosen_defects():
                raise ValueError(f"defects.{name}: given, expected null: twins are nominal parts")
            for name in self.chosen_impurities():
                if IMPURITIES[name].diffuse and self.twins == "ratio":
                    raise ValueError(
                        f"twins: ratio, expected render: a {name} is no change of reflectance"
                    )
            return
        self.series.validate("series")
        if self.samples > self.series.count():
            raise ValueError(
                f"samples: {self.samples}, expected at most the {self.series.count()} sides of "
                "series.groups"
            )
        if self.test_every:
            raise ValueError(f"test_every: {self.test_every}, expected 0: series.groups splits")

    def _check_fit(self) -> None:
        """Check what one group of keys alone cannot know."""
        width = bounds(self.camera.field_of_view_mm)[0]
        pixel_um = width / self.camera.resolution_px[0] / self.scale * 1000
        if self.texture.texel_um > pixel_um:
            raise ValueError(
                f"texture.texel_um: {self.texture.texel_um}, expected finer than the pixel of "
                f"{pixel_um:.3g} um"
            )
        for axis, edge in enumerate(self.plate.size_mm[:2]):
            if (self.camera.views[axis] - 1) * self.camera.pitch_mm[axis] > edge:
                raise ValueError(
                    f"camera.views: {list(self.camera.views)}, expected a grid within the plate "
                    f"of {edge:g} mm along {'xy'[axis]}"
                )
        steepest = self.camera.steepest_deg()
        if steepest > 80:
            raise ValueError(
                f"camera.distance_mm: {shown(self.camera.distance_mm)}, expected a camera that "
                "looks at no point flatter than 80 degrees off the plate's normal, not "
                f"{steepest:.3g}"
            )


def read_scene(path: Path, overrides: Sequence[tuple[str, str]] = ()) -> Scene:
    """Read and check a scene.

    Args:
        path: the YAML file.
        overrides: dotted keys and values of the command line.

    Raises:
        InputError: one line that names file or option, key, value and what was expected.
    """
    scene = config.read(Scene, path, overrides)
    _check_series_is_whole(path, overrides)
    try:
        scene.validate()
    except ValueError as error:
        source = config.origin(path, overrides, str(error).split(":")[0])
        raise InputError(config.blamed(source, str(error))) from None
    return scene


def _check_series_is_whole(path: Path, overrides: Sequence[tuple[str, str]]) -> None:
    """Refuse to make a series of a scene that is none by one of a series' lesser keys.

    Raises:
        InputError: names that key's option.
    """
    given = [key for key, _ in overrides if key.split(".")[0] == "series"]
    if not given or not {"series", "series.groups"}.isdisjoint(given):
        return
    if config.read(Scene, path).series is None:
        raise InputError(f"--{given[0]}: {path} has no series, expected --series.groups as well")
