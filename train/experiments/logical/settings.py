"""What this experiment is told: the schema of its YAML files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from stainless.errors import InputError
from train.detectors import member_words
from train.experiments.logical.methods import SCENARIOS
from train.experiments.settings import Common, least


@dataclass
class Data:
    """The pictures.

    Attributes:
        data: root folder of a dataset in the layout of MVTec LOCO AD or of MVTec AD.
        category: folder in it.
        kind: how the report calls it: "rendered" or "photographs".
        scene: renders the set where `data` is missing; null where it must exist.
        scale: resolution factor of the rendering.
        samples: how many samples of the scene are rendered; null for all.
        hold_out: share of the test split that becomes the validation split of a set without one,
            whole groups at a time; 0 for a set that brings its own.
        classes: of LabelMe files: label by label defect, impurity or ignore; a YAML or JSON file.
        every: learn from every Nth nominal picture.
        every_good: test on every Nth good picture; all defective ones are tested on.
    """

    data: str = "datasets/connector"
    category: str = "connector"
    kind: str = "rendered"
    scene: str | None = "scenes/connector.yaml"
    scale: float = 1.0
    samples: int | None = None
    hold_out: float = 0.0
    classes: str | None = None
    every: int = 1
    every_good: int = 1


@dataclass
class Weights:
    """Weight files of networks that no package carries.

    Attributes:
        csflow: of EfficientNet-B5; without it the offline backbone stands in.
        reverse_distillation: of wide ResNet-50; without it the method is not run.
        efficient_ad: of the teacher; without it the method is not run.
        natural: folder of natural pictures for EfficientAD.
    """

    csflow: str | None = None
    reverse_distillation: str | None = None
    efficient_ad: str | None = None
    natural: str | None = None


@dataclass
class Black:
    """The ablation: everything outside the part set to black, before learning and scoring.

    Attributes:
        methods: names of those that are run so, too; empty for no ablation.
        part: where the part is found: in the rendered labels, or what is brighter than the cloth.
        margin: of the part that is kept around it, as a share of a picture's longer side.
    """

    methods: list[str] = field(default_factory=lambda: ["PatchCore", "SimpleNet"])
    part: Literal["labels", "threshold"] = "threshold"
    margin: float = 0.01


@dataclass
class Settings(Common):
    """A survey of methods on structural and logical anomalies.

    Attributes:
        pictures: what is learned from and evaluated on.
        methods: names of the methods, see the tables; empty for all.
        caps: what is not as published, a method of `stainless methods` with keys of its own each,
            such as "draem steps=200 side=128"; the tables print what was reached over what is
            published.
        weights: files.
        black: the ablation.
    """

    title: str = "Structural and logical anomalies"
    out: str = "reports/logical"
    pictures: Data = field(default_factory=Data)
    methods: list[str] = field(default_factory=list)
    caps: list[str] = field(default_factory=list)
    weights: Weights = field(default_factory=Weights)
    black: Black = field(default_factory=Black)

    def validate(self) -> None:
        """Check every value.

        Raises:
            ValueError, InputError: one line with key, value and expectation.
        """
        super().validate()
        least("pictures.every", self.pictures.every, 1)
        least("pictures.every_good", self.pictures.every_good, 1)
        if not 0 <= self.pictures.hold_out < 1:
            raise ValueError(f"pictures.hold_out: {self.pictures.hold_out}, expected 0 to below 1")
        if not 0 <= self.black.margin < 1:
            raise ValueError(f"black.margin: {self.black.margin}, expected 0 to below 1")
        names = [scenario.name for scenario in SCENARIOS]
        for key, given in (("methods", self.methods), ("black.methods", self.black.methods)):
            for name in given:
                if name not in names:
                    raise ValueError(f"{key}: {name}, expected some of {', '.join(names)}")
        known = {scenario.name: scenario for scenario in SCENARIOS}
        for name in self.methods or names:
            for member in known[name].members:
                if self.methods and member not in self.methods:
                    raise ValueError(f"methods: {name} combines {member}, expected it, too")
        for name in self.black.methods:
            if known[name].members:
                raise ValueError(f"black.methods: {name}, expected a method that combines no other")
        for word in self.caps:
            method = word.split()[0] if word.split() else ""
            if method not in {scenario.method for scenario in SCENARIOS}:
                raise ValueError(f"caps: {word!r}, expected METHOD KEY=VALUE ... of the survey")
            try:
                member_words.chosen(word, "caps")
            except InputError as error:
                raise InputError(str(error).replace("caps.members", "caps", 1)) from None
