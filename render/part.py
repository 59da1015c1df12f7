"""What the rest of the generator knows of a kind of part, and which kinds there are.

A kind is a folder of `render.parts` with a module `part.py`, in which PART is a `Part`. A scene
chooses it by `part: <name>` and has the part's keys below `<name>:`.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from render.camera import View
from render.cycles.tracer import Sampling, Tracer
from render.scene import Scene, scene_with
from stainless.config import nearest
from stainless.plugins import folders

if TYPE_CHECKING:
    from render.plan import Sample, Streams
    from render.series import Side

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Saturation:
    """How much of a flaw's region a detector must mark to be fully right (LOCO's sPRO).

    Attributes:
        threshold: an area.
        relative: whether it is a share of the region instead of a number of pixels.
    """

    threshold: float = 1.0
    relative: bool = True


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """One kind of flaw: what annotations and plans know it by. Its numbers are never changed.

    Attributes:
        index: of its class in the annotations, 101 to 255; no other flaw of the part shares it.
        stream: number of its random numbers; no other flaw of the part shares it.
        truth: `structural` for a damage, `logical` for a part that is whole but not as it should
            be.
        saturation: how much of its region must be found.
    """

    index: int
    stream: int
    truth: Literal["structural", "logical"] = "structural"
    saturation: Saturation = field(default_factory=Saturation)


@dataclass(frozen=True)
class Shot:
    """One of the pictures that are taken from each camera position.

    Attributes:
        light: name of the light variant.
        suffix: what the light adds to the category's name.
        place: number of the light variant, part of the seed of the sensor's noise.
        twin: name of the category where there is no series, for pictures that come in pairs.
    """

    light: str = ""
    suffix: str = ""
    place: int = 0
    twin: str = ""


@dataclass(frozen=True)
class Frame:
    """A camera position over a sample.

    Attributes:
        number: of the position.
        view: the camera.
        shape: rows and columns of a picture.
        seed: of Cycles' sampling pattern.
    """

    number: int
    view: View
    shape: tuple[int, int]
    seed: int


@dataclass(frozen=True)
class Labels:
    """What lies at the centre of each pixel; arrays of shape (H, W).

    Attributes:
        classes: uint8 index of the class of an impurity or flaw, 0 for none.
        instances: uint16 number of the single impurity or flaw within the sample, 0 for none.
        areas: uint8 index of the area of the product, 0 for none; None where it has no areas.
    """

    classes: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint16]
    areas: npt.NDArray[np.uint8] | None = None

    def truth(self, flaws: Collection[Flaw]) -> Bool:
        """Return which pixels show one of some flaws."""
        indices = np.zeros(256, np.bool_)
        indices[[flaw.index for flaw in flaws]] = True
        return indices[self.classes]


@dataclass(frozen=True)
class Exposure:
    """Light before the lens, and what is where.

    Attributes:
        shot: which of the position's pictures.
        radiance: (H, W, C) float32, C being 1 or 3; linear.
        labels: what is where.
        differs: (H, W), where it may differ from the exposure before it; elsewhere that one's light
            behind the lens is kept bit for bit. None for everywhere.
        kept: (H, W), what is cut out of the picture; the rest is black. None for all.
    """

    shot: Shot
    radiance: Float32
    labels: Labels
    differs: Bool | None = None
    kept: Bool | None = None


@dataclass(frozen=True)
class Effort:
    """What the pictures of one camera position cost.

    Attributes:
        renders: how often Cycles renders.
        denoised: whether these are denoised.
        seconds: CPU-seconds of all that is done beside.
    """

    renders: int
    denoised: bool
    seconds: float = 0.0


class Part(ABC):
    """A kind of part.

    Attributes:
        name: as in a scene; that of its folder.
        ranges: dataclass of its keys, with a `validate(key)`; they lie below its name.
        scene: the scene's dataclass, `render.scene.Scene` with the part's keys; made of the ranges.
        flaws: its kinds of flaws by the name of their class.
        impurities: index of the class of each kind of matter that may lie on it, 1 to 100, by name.
    """

    name: str
    ranges: type[Any]
    scene: type[Scene]
    flaws: Mapping[str, Flaw]
    impurities: Mapping[str, int] = {}

    def __init_subclass__(cls) -> None:
        if "ranges" in vars(cls):
            cls.scene = scene_with(cls.name, cls.ranges)

    @abstractmethod
    def sample(self, scene: Any, side: Side | None, streams: Streams) -> Any:
        """Draw one realisation.

        Args:
            scene: of the part's own type.
            side: what the sample is within a series; None outside of one, where all are good.
            streams: where random numbers come from, so that what one purpose draws moves no other:
                `Stream.PART` with a number for each purpose of the body, `Stream.LIGHT`, and
                `Stream.DEFECT` with a flaw's own number.

        Returns:
            A frozen dataclass that `dataclasses.asdict` makes JSON.
        """

    @abstractmethod
    def expose(
        self, scene: Any, sample: Sample, frame: Frame, tracer: Tracer
    ) -> Iterator[Exposure]:
        """Yield the exposures of one camera position, in the order of `shots`.

        Args:
            scene: of the part's own type.
            sample: its `part` is what `self.sample` returned.
            frame: the camera position.
            tracer: what renders.
        """

    def shots(self, scene: Any) -> Sequence[Shot]:
        """Return which pictures are taken from each camera position."""
        return [Shot()]

    def to_json(self, drawn: Any) -> dict[str, Any]:
        """Return what `sample` returned as the plan and the manifest hold it."""
        return {self.name: dataclasses.asdict(drawn)}

    def switched_on(self, scene: Any) -> set[str]:
        """Return the names of the classes that a scene can show."""
        return {*self.flaws, *self.impurities}

    def areas(self, scene: Any) -> Mapping[str, int]:
        """Return the index, 1 to 255, of each area of the product that has a verdict of its own."""
        return {}

    def effort(self, scene: Any) -> Effort:
        """Return what a camera position costs."""
        return Effort(len(self.shots(scene)), scene.rendering.denoise)


def sampling(
    scene: Scene,
    frame: Frame,
    tracer: Tracer,
    denoise: bool = True,
    bounces: int = 1,
    channels: int = 1,
) -> Sampling:
    """Return how Cycles samples a picture.

    Args:
        scene: its `rendering` counts.
        frame: the camera position.
        tracer: what renders; an old Blender has no denoiser.
        denoise: whether the result may be denoised at all.
        bounces: see `Sampling`.
        channels: see `Sampling`.
    """
    denoise = denoise and scene.rendering.denoise and tracer.denoiser
    samples = scene.rendering.samples if denoise else scene.rendering.samples_undenoised
    return Sampling(samples, denoise, frame.seed, tracer.threads, bounces, channels)


def part_names() -> list[str]:
    """Return the names of the kinds of parts."""
    return list(folders("render.parts", "part"))


@lru_cache
def part(name: str) -> Part:
    """Return a kind of part.

    Raises:
        ValueError: there is none of that name.
    """
    places = folders("render.parts", "part")
    if name not in places:
        raise ValueError(f"part: {name}, unknown kind of part{nearest(name, places)}")
    kind: Part = import_module(places[name]).PART
    return kind
