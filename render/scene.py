"""The typed scene: what a YAML file of `scenes/` may say, with units and sane limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Any, Literal

from render.camera import CameraRanges
from render.sensor import SensorRanges
from render.series import Series
from stainless import config
from stainless.errors import InputError
from stainless.ranges import shown


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
    """One dataset to render; a kind of part adds the keys of its own.

    Attributes:
        part: which kind of part it shows.
        samples: how many realisations of the part.
        seed: of everything that is drawn.
        scale: resolution factor of the pictures.
        test_every: every n-th sample goes to `test` instead of `train`; 0 is none.
        layout: how the dataset is laid out, as MVTec AD or as MVTec LOCO AD.
        series: an inspection series, with defects; else all samples are nominal.
        camera: where the part is seen from.
        sensor: what the camera makes of the light.
        rendering: how Cycles samples.
    """

    part: str = "plate"
    samples: int = 1
    seed: int = 1
    scale: float = 1.0
    test_every: int = 0
    layout: Literal["mvtec", "loco"] = "mvtec"
    series: Series | None = None
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
        if self.test_every < 0:
            raise ValueError(f"test_every: {self.test_every}, expected 0 or more")
        for name in ("camera", "sensor", "rendering"):
            getattr(self, name).validate(name)
        if self.series is not None:
            self._check_series(self.series)
        steepest = self.camera.steepest_deg()
        if steepest > 80:
            raise ValueError(
                f"camera.distance_mm: {shown(self.camera.distance_mm)}, expected a camera that "
                "sees no point flatter than 80 degrees off the part's normal, not "
                f"{steepest:.3g}"
            )

    def _check_series(self, series: Series) -> None:
        """Check a series, and what it asks of the other keys."""
        series.validate("series")
        if self.samples > series.count():
            raise ValueError(
                f"samples: {self.samples}, expected at most the {series.count()} sides of "
                "series.groups"
            )
        if self.test_every:
            raise ValueError(f"test_every: {self.test_every}, expected 0: series.groups splits")


def scene_with(name: str, ranges: type[Any]) -> type[Scene]:
    """Return the type of scene with the keys of a kind of part below its name.

    Args:
        name: of the kind of part.
        ranges: dataclass of its keys, with defaults and a `validate(key)`.
    """

    def validate(scene: Scene) -> None:
        """Check every value; ValueError names key, value and expectation."""
        Scene.validate(scene)
        getattr(scene, name).validate(name)

    return make_dataclass(
        f"{name.title().replace('_', '')}Scene",
        [("part", str, name), (name, ranges, field(default_factory=ranges))],
        bases=(Scene,),
        namespace={"__doc__": f"Attributes:\n    {name}: the part.", "validate": validate},
    )


def schema(tree: Mapping[str, Any]) -> type[Scene]:
    """Return the type of scene that a tree of keys is.

    Raises:
        ValueError: there is no such kind of part.
    """
    # The kinds of parts build on this module.
    from render.part import part

    return part(str(tree.get("part", Scene.part))).scene


def read_scene(path: Path, overrides: Sequence[tuple[str, str]] = ()) -> Scene:
    """Read and check a scene.

    Args:
        path: the YAML file.
        overrides: dotted keys and values of the command line.

    Raises:
        InputError: one line that names file or option, key, value and what was expected.
    """
    scene = config.read(schema, path, overrides)
    _check_series_is_whole(path, overrides)
    try:
        scene.validate()
    except ValueError as error:
        source = config.origin(type(scene), path, overrides, str(error).split(":")[0])
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
    if config.read(schema, path).series is None:
        raise InputError(f"--{given[0]}: {path} has no series, expected --series.groups as well")
