"""What a scene of connectors may say, below `connector:`."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from typing import Any

from render.lights.softbox import SoftboxRanges
from render.parts.connector.body import check_room
from render.parts.connector.formations import FORMATIONS
from render.parts.connector.pose import PoseRanges
from render.parts.connector.registry import FLAWS
from render.parts.connector.surface.ce_label import CeLabelRanges
from render.parts.connector.surface.cloth import ClothRanges
from render.parts.connector.surface.zinc import ZincRanges
from stainless.config import nearest
from stainless.ranges import Range, bounds, check_range

#: One field a kind of flaw, null for none. A defective part has one of them, in turn.
FlawRanges = make_dataclass(
    "FlawRanges",
    [
        (
            name,
            kind.ranges | None,
            field(default_factory=kind.ranges if kind.usual else lambda: None),
        )
        for name, kind in FLAWS.items()
    ],
)


@dataclass
class ConnectorRanges:
    """What a connector draws from.

    Attributes:
        formations: names of the formations of holes that are right; each part has one of them.
        size_mm: length, width and thickness of the sheet.
        corner_mm: radius of the sheet's corners; 0 for cut ones.
        bevel_mm: width of the sheet's rounded edge.
        hole_bevel_mm: width of the rounded edge of a hole.
        misplaced_mm: largest error of a hole's place along x and y.
        label: the CE label on the front; null for none.
        zinc: the galvanized surface, of each side.
        cloth: what the part lies on.
        softbox: the light.
        pose: how the part is put down for each picture.
        flaws: what is wrong with the defective parts of a series.
        twins: whether each picture of a series is taken of the part without its flaws as well, in a
            category of its own, `<category>_sound`.
    """

    formations: list[str] = field(default_factory=lambda: ["rows", "zigzag"])
    size_mm: tuple[float, float, float] = (100.0, 35.0, 2.0)
    corner_mm: Range = (2.5, 3.0)
    bevel_mm: Range = (0.25, 0.35)
    hole_bevel_mm: Range = (0.4, 0.5)
    misplaced_mm: Range = (0.0, 0.12)
    label: CeLabelRanges | None = field(default_factory=CeLabelRanges)
    zinc: ZincRanges = field(default_factory=ZincRanges)
    cloth: ClothRanges = field(default_factory=ClothRanges)
    softbox: SoftboxRanges = field(default_factory=SoftboxRanges)
    pose: PoseRanges = field(default_factory=PoseRanges)
    flaws: FlawRanges = field(default_factory=FlawRanges)  # type: ignore[valid-type]
    twins: bool = False

    def validate(self, key: str) -> None:
        """Check every value; ValueError names the key below `key`, value and expectation."""
        for name in self.formations:
            if name not in FORMATIONS:
                raise ValueError(
                    f"{key}.formations: {name}, unknown formation{nearest(name, FORMATIONS)}"
                )
        if not self.formations:
            raise ValueError(f"{key}.formations: [], expected at least one")
        if not all(0.2 <= edge <= 1000 for edge in self.size_mm):
            raise ValueError(f"{key}.size_mm: {list(self.size_mm)}, expected 0.2 to 1000 mm")
        thickness, shorter = self.size_mm[2], min(self.size_mm[:2])
        check_range(f"{key}.corner_mm", self.corner_mm, 0.0, 0.45 * shorter)
        check_range(f"{key}.bevel_mm", self.bevel_mm, 0.01, 0.9 * thickness)
        check_range(f"{key}.hole_bevel_mm", self.hole_bevel_mm, 0.01, 0.9 * thickness)
        check_range(f"{key}.misplaced_mm", self.misplaced_mm, 0.0, 0.5)
        check_room(f"{key}.size_mm", self.formations, self.size_mm, self.hole_bevel_mm)
        for name in ("zinc", "cloth", "softbox", "pose"):
            getattr(self, name).validate(f"{key}.{name}")
        if self.label is not None:
            self.label.validate(f"{key}.label")
            self._check_label(f"{key}.label", self.label)
        for name, ranges in self.chosen_flaws().items():
            ranges.validate(f"{key}.flaws.{name}")
            try:
                FLAWS[name].check(ranges, self)
            except ValueError as error:
                raise ValueError(f"{key}.flaws.{name}{error}") from None

    def chosen_flaws(self) -> dict[str, Any]:
        """Return the ranges of each kind of flaw that is switched on, by name."""
        ranges = {name: getattr(self.flaws, name) for name in FLAWS}
        return {name: value for name, value in ranges.items() if value is not None}

    def _check_label(self, key: str, label: CeLabelRanges) -> None:
        """Check that the label lies on the sheet and on no hole."""
        half_x, half_y = label.half_size_mm()
        above, error = bounds(label.above_mm)[1], bounds(label.misplaced_mm)[1]
        if half_y + above + error > self.size_mm[1] / 2:
            raise ValueError(
                f"{key}.above_mm: {above:g}, expected a label within the sheet's "
                f"{self.size_mm[1]:g} mm"
            )
        for name in self.formations:
            for x, y, radius in FORMATIONS[name]:
                reach = radius + error + bounds(self.hole_bevel_mm)[1]
                if abs(x) < half_x + reach and abs(y - above) < half_y + reach:
                    raise ValueError(
                        f"{key}.height_mm: {bounds(label.height_mm)[1]:g}, expected a label that "
                        f"leaves the holes of the formation {name} free"
                    )
