"""A coloured disc on a woven cloth: a small kind of part, with a flaw of each kind of truth."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from render.camera import pixel_to_plane
from render.cycles.materials import Diffuse, Texture
from render.cycles.stage import Mesh, Stage
from render.lights import ring
from render.part import Exposure, Flaw, Labels, Part, Saturation, Shot, sampling
from stainless.homography import project
from stainless.ranges import Range, check_range
from stainless.streams import Stream


@dataclass
class DiscRanges:
    """What a disc draws from.

    Attributes:
        radius_mm: of the disc.
        missing: share of the defective discs that are missing; the others are chipped.
        chip_deg: angle of the sector that a chipped disc lacks.
    """

    radius_mm: Range = (6.0, 7.0)
    missing: Range = 0.5
    chip_deg: Range = (40.0, 80.0)

    def validate(self, key):
        for name, *limits in (("radius_mm", 0.1, 99), ("missing", 0, 1), ("chip_deg", 1, 350)):
            check_range(f"{key}.{name}", getattr(self, name), *limits)


@dataclass(frozen=True)
class DiscSample:
    radius_mm: float
    lacking_rad: float  # 0 for a whole disc, 7 for none at all
    light: ring.HexagonLight


class Disc(Part):
    name, ranges = "disc", DiscRanges
    chipped = Flaw(index=101, stream=0)
    missing = Flaw(index=102, stream=1, truth="logical", saturation=Saturation(0.5))
    flaws = MappingProxyType({"chipped": chipped, "missing": missing})

    def sample(self, scene, side, streams):
        chip, absence = (streams.draw(Stream.DEFECT, flaw.stream) for flaw in self.flaws.values())
        lacking = float(np.radians(chip(scene.disc.chip_deg)))
        lacking = 7.0 if absence.rng.random() < absence(scene.disc.missing) else lacking
        lacking *= side is not None and side.defects
        light = ring.sample_light(ring.LightRanges(), streams.draw(Stream.LIGHT))
        return DiscSample(streams.draw(Stream.PART)(scene.disc.radius_mm), lacking, light)

    def expose(self, scene, sample, frame, tracer):
        disc, view, radius = sample.part, frame.view, sample.part.radius_mm
        weave = 0.1 + 0.15 * (np.indices((160, 160)) // 2 % 2).sum(axis=0)[..., None]
        cloth = Diffuse(Texture("cloth", (weave * [0.6, 0.8, 1.0]).astype(np.float32)))
        square = np.array([(-20, -20, -0.5), (20, -20, -0.5), (20, 20, -0.5), (-20, 20, -0.5)])
        maps, face = {"cloth": square[:, :2] / 40 + 0.5}, (0, 1, 2, 3)
        meshes = [Mesh("cloth", square, (face,), (cloth,), maps=maps)]
        if disc.lacking_rad < 7:
            turn = np.linspace(disc.lacking_rad, 2 * np.pi, 97)
            corners = radius * np.r_[np.c_[np.cos(turn), np.sin(turn), 0 * turn], np.zeros((1, 3))]
            meshes.append(Mesh("disc", corners, (tuple(range(98)),), (Diffuse((0.75, 0.25, 0.1)),)))
        light = ring.placed(disc.light, view.x_mm, view.y_mm, 0.0)
        stage = Stage((*meshes, *ring.bars(light)), light.ambient)
        x, y = project(pixel_to_plane(view, frame.shape), *np.indices(frame.shape)[::-1] + 0.5)
        lacking = (np.arctan2(y, x) % (2 * np.pi) < disc.lacking_rad) & (np.hypot(x, y) < radius)
        flaw = self.chipped if disc.lacking_rad < 7 else self.missing
        labels = Labels(np.uint8(flaw.index) * lacking, np.uint16(1) * lacking)
        how = sampling(scene, frame, tracer, channels=3)
        yield Exposure(Shot(), tracer.render(stage, view, frame.shape, how), labels)


PART = Disc()
