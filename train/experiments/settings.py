"""What a sim-to-real experiment is told: the schema of its YAML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stainless import config
from stainless.errors import InputError
from train.experiments.scenarios import SCENARIOS


@dataclass
class Real:
    """The set that detectors are judged on, and that finetuning learns from.

    Attributes:
        data: root folder of a dataset in MVTec AD layout.
        category: folder in it.
        kind: how the report calls it: "rendered stand-in" or "photographs".
        scene: renders the set where `data` is missing; null where it must exist.
        scale: resolution factor of the rendering.
        hold_out: share of the test split that becomes the validation split of a set without one,
            whole groups at a time; 0 for a set that brings its own.
        classes: of LabelMe files: label by label defect, impurity or ignore; a YAML or JSON file.
    """

    data: str = "datasets/cell_quarter"
    category: str = "cell"
    kind: str = "rendered stand-in"
    scene: str | None = "scenes/cell.yaml"
    scale: float = 0.25
    hold_out: float = 0.0
    classes: str | None = None


@dataclass
class Synthetic:
    """The rendered sets that detectors are pre-trained on.

    Attributes:
        data: root folder.
        scene: renders them where `data` is missing; null where it must exist.
        scale: resolution factor of the rendering.
        samples: number of plates.
        clean: category of the clean pictures.
        stained: category of the same pictures with water stains.
        lights: endings of the categories of the other lights, for domain randomisation.
        stain: class whose detection is followed: what the stained pictures are stained with.
    """

    data: str = "datasets/plate_quarter"
    scene: str | None = "scenes/plate.yaml"
    scale: float = 0.25
    samples: int = 80
    clean: str = "clean"
    stained: str = "stained"
    lights: list[str] = field(default_factory=lambda: ["rot90", "x2"])
    stain: str = "water_stain"


@dataclass
class DetectorSettings:
    """Sequential PatchCore, the paper's settings.

    Attributes:
        backbone: where features come from.
        pool_stride: distance of patches in cells of the finest stage.
        size: members of a coreset.
        epochs: largest number of passes of a fit; fewer when one changes nothing.
    """

    backbone: str = "efficientnet_lite0"
    pool_stride: int = 1
    size: int = 2048
    epochs: int = 5


@dataclass
class Baselines:
    """anomalib's own models beside it.

    Attributes:
        models: names; empty for none.
        every: learn from every Nth nominal picture; null for what two processor cores can do:
            every 8th for PatchCore, whose selection is slow, and all for the others.
        steps: of SuperSimpleNet's optimiser.
    """

    models: list[str] = field(default_factory=lambda: ["patchcore", "padim", "supersimplenet"])
    every: int | None = None
    steps: int = 400


@dataclass
class Experiment:
    """A sim-to-real experiment.

    Attributes:
        title: of the report.
        out: folder of the results.
        real: what is inspected.
        synthetic: what is rendered to learn from.
        detector: the detector that all scenarios share.
        scenarios: names of those to run; empty for all.
        baselines: other detectors.
        repeats: runs with other seeds, of order and augmentation.
        seed: of the first repeat.
        bootstrap_rounds: draws of a paired bootstrap.
        workers: processes; 0 for as many as there are processors and memory for.
        device: torch device.
        cache_gb: features of at most so much are kept on disk while the experiment runs.
    """

    title: str = "Sim-to-real"
    out: str = "reports/sim_to_real"
    real: Real = field(default_factory=Real)
    synthetic: Synthetic = field(default_factory=Synthetic)
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    scenarios: list[str] = field(default_factory=list)
    baselines: Baselines = field(default_factory=Baselines)
    repeats: int = 1
    seed: int = 0
    bootstrap_rounds: int = 1000
    workers: int = 0
    device: str = "cpu"
    cache_gb: float = 12.0

    def extractor_options(self) -> dict[str, Any]:
        """Return the arguments of the `FeatureExtractor` that all scenarios share."""
        return {
            "backbone": self.detector.backbone,
            "pool_stride": self.detector.pool_stride,
            "device": self.device,
        }

    def validate(self) -> None:
        """Check every value.

        Raises:
            ValueError: one line with key, value and expectation.
        """
        for key, value, least in (
            ("repeats", self.repeats, 1),
            ("seed", self.seed, 0),
            ("workers", self.workers, 0),
            ("bootstrap_rounds", self.bootstrap_rounds, 1),
            ("detector.size", self.detector.size, 2),
            ("detector.epochs", self.detector.epochs, 1),
            ("detector.pool_stride", self.detector.pool_stride, 1),
            ("baselines.every", self.baselines.every or 1, 1),
            ("baselines.steps", self.baselines.steps, 1),
            ("synthetic.samples", self.synthetic.samples, 1),
            ("cache_gb", self.cache_gb, 0),
        ):
            if value < least:
                raise ValueError(f"{key}: {value}, expected at least {least}")
        if not 0 <= self.real.hold_out < 1:
            raise ValueError(f"real.hold_out: {self.real.hold_out}, expected 0 to below 1")
        names = [one.name for one in SCENARIOS]
        for name in self.scenarios:
            if name not in names:
                raise ValueError(f"scenarios: {name}, expected some of {', '.join(names)}")


def read_experiment(path: Path, overrides: Sequence[tuple[str, str]] = ()) -> Experiment:
    """Read and check an experiment.

    Raises:
        InputError: one line that names file or option, key, value and what was expected.
    """
    experiment = config.read(Experiment, path, overrides)
    try:
        experiment.validate()
    except ValueError as error:
        source = config.origin(path, overrides, str(error).split(":")[0])
        raise InputError(config.blamed(source, str(error))) from None
    return experiment
