"""Flaws of given kind, place and size, for pictures that come without and with them.

What a flaw's keys leave open is drawn from the scene's ranges of its kind.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from render.camera import View, pixel_to_plane
from render.part import Labels
from render.parts.plate.defects import Members, in_order
from render.parts.plate.registry import FLAWS
from render.plan import Streams
from stainless import config
from stainless.homography import project
from stainless.streams import Stream

if TYPE_CHECKING:
    from render.parts.plate.scene import PlateScene


@dataclass
class PlacedFlaw:
    """A flaw with a given place.

    Attributes:
        sample: index of the plate that it is on.
        kind: of the flaw.
        center_mm: (x, y) on the plate.
        keys: of the kind's ranges, such as {length_mm: 3}; the others are those of the scene.
    """

    sample: int
    kind: str
    center_mm: tuple[float, float]
    keys: dict = field(default_factory=dict)

    def ranges(self, scene: PlateScene) -> Any:
        """Return the kind's ranges with this flaw's place and keys.

        Raises:
            ValueError: an unknown kind or key, or a value that cannot be used.
        """
        if self.kind not in FLAWS:
            raise ValueError(f"kind: {self.kind}, expected one of {', '.join(FLAWS)}")
        kind = FLAWS[self.kind]
        base = getattr(scene.defects, self.kind) or kind.ranges()
        given = {**self.keys, "centers_mm": [self.center_mm]}
        ranges = config.build(kind.ranges, {**config.plain(base), **given}, "keys")
        kind.validate(ranges)
        return ranges


def check_placed(scene: PlateScene) -> None:
    """Check the placed flaws of a scene, and what they ask of its other keys.

    Raises:
        ValueError: one line with key, value and expectation.
    """
    if not scene.placed:
        return
    if scene.series is not None:
        raise ValueError("placed: given, expected none in a series, which draws its defects")
    if scene.test_every != 1:
        raise ValueError(
            f"test_every: {scene.test_every}, expected 1 with placed flaws: none is for training"
        )
    for place, flaw in enumerate(scene.placed):
        if not 0 <= flaw.sample < scene.samples:
            raise ValueError(
                f"placed[{place}].sample: {flaw.sample}, expected 0 to {scene.samples - 1}"
            )
        try:
            flaw.ranges(scene)
        except ValueError as error:
            raise ValueError(f"placed[{place}].{error}") from None


def placed_flaws(
    scene: PlateScene, area_mm: tuple[float, float, float, float], streams: Streams
) -> dict[str, list[Any]]:
    """Return the placed flaws of a sample by kind, in the order of the scene."""
    found: dict[str, list[Any]] = {}
    of_sample = [flaw for flaw in scene.placed if flaw.sample == streams.sample]
    for number, flaw in enumerate(of_sample):
        kind = FLAWS[flaw.kind]
        # One more flaw on a plate leaves those before it as they were.
        rng = streams.generator(Stream.DEFECT, kind.stream, number)
        found.setdefault(flaw.kind, []).extend(kind.sample(flaw.ranges(scene), area_mm, rng))
    return found


def with_centres(labels: Labels, defects: Members, view: View) -> Labels:
    """Return labels that have every flaw in view: one that is on no pixel gets that of its middle.

    A flaw may be too small or too shallow for the rule of its mask, and is there all the same.

    Args:
        labels: of the defects alone.
        defects: by kind, in plate coordinates (mm).
        view: the camera.
    """
    classes, instances = labels.classes.copy(), labels.instances.copy()
    shape = instances.shape[0], instances.shape[1]
    surface_to_pixel = np.linalg.inv(pixel_to_plane(view, shape))
    known = set(np.unique(instances).tolist())
    for number, (_, kind, flaw) in enumerate(in_order(defects), start=1):
        if number in known:
            continue
        x0, y0, x1, y1 = kind.box(flaw)
        middle = np.array([(x0 + x1) / 2]), np.array([(y0 + y1) / 2])
        column, row = (int(np.floor(axis[0])) for axis in project(surface_to_pixel, *middle))
        if 0 <= row < shape[0] and 0 <= column < shape[1]:
            classes[row, column], instances[row, column] = kind.index, number
    return dataclasses.replace(labels, classes=classes, instances=instances)
