"""What a scene of plates may say."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from typing import Any

from impurities.registry import IMPURITIES
from render.lights.ring import LightRanges
from render.parts.plate.placed import PlacedFlaw, check_placed
from render.parts.plate.registry import FLAWS
from render.parts.plate.surface.metal import MetalRanges
from render.parts.plate.surface.parallel_texture import TextureRanges
from render.scene import Scene
from stainless.ranges import bounds

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
    """The sheet.

    Attributes:
        size_mm: extent along x (the grooves), y and z.
    """

    size_mm: tuple[float, float, float] = (120.0, 100.0, 3.0)

    def validate(self, key: str) -> None:
        """Check the size; ValueError names the key below `key`, value and expectation."""
        if not all(0.1 <= edge <= 5000 for edge in self.size_mm):
            raise ValueError(f"{key}.size_mm: {list(self.size_mm)}, expected 0.1 to 5000 mm")


@dataclass
class PlateScene(Scene):
    """A dataset of plates. Its keys stand beside those that all scenes have.

    Attributes:
        twins: `ratio` derives the stained twin from the clean picture, `render` renders both.
        plate: the part.
        metal: its optical surface.
        texture: its parallel finish.
        impurities: what lies on it.
        defects: what is wrong with it, where it is a defective part of a series.
        placed: flaws of given place and size: each picture comes without and with them.
        lights: the ring light.
    """

    twins: str = "ratio"
    plate: Plate = field(default_factory=Plate)
    metal: MetalRanges = field(default_factory=MetalRanges)
    texture: TextureRanges = field(default_factory=TextureRanges)
    impurities: ImpurityRanges = field(default_factory=ImpurityRanges)  # type: ignore[valid-type]
    defects: DefectRanges = field(default_factory=DefectRanges)  # type: ignore[valid-type]
    placed: list[PlacedFlaw] = field(default_factory=list)
    lights: LightRanges = field(default_factory=LightRanges)

    def validate(self) -> None:
        """Check every value; ValueError names key, value and expectation."""
        super().validate()
        if self.twins not in ("ratio", "render"):
            raise ValueError(f"twins: {self.twins}, expected ratio or render")
        for name in ("plate", "metal", "texture", "lights"):
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
        check_placed(self)
        self._check_twins()
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

    def _check_twins(self) -> None:
        """Check what twins ask of the other keys."""
        if self.series is not None:
            return
        for name in self.chosen_defects() if not self.placed else ():
            raise ValueError(
                f"defects.{name}: given, expected null, or a series that has defective parts "
                "(series: {groups: [{split: test, defects: true}]}): without one all are good"
            )
        for name in self.chosen_impurities():
            if IMPURITIES[name].diffuse and self.twins == "ratio":
                raise ValueError(
                    f"twins: ratio, expected render: a {name} is no change of reflectance"
                )

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
