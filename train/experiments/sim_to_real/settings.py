"""What this experiment is told: the schema of its YAML file."""

from __future__ import annotations

from dataclasses import dataclass, field

from train.detectors.sequential_patchcore.settings import Settings as Detector
from train.experiments.settings import Common, least
from train.experiments.sim_to_real.scenarios import SCENARIOS


@dataclass
class Real:
    """The set that detectors are evaluated on, and that finetuning learns from.

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
class Baselines:
    """Other methods beside it, fitted to the real pictures.

    Attributes:
        models: names of methods, see `stainless methods`; empty for none.
        every: learn from every Nth nominal picture; null for what two processor cores can do:
            every 8th for PatchCore, whose selection is slow, and all for the others.
        steps: of the optimiser of SuperSimpleNet.
    """

    models: list[str] = field(default_factory=lambda: ["patchcore", "padim", "supersimplenet"])
    every: int | None = None
    steps: int = 400


@dataclass
class Detection:
    """Which flaws the models of a few scenarios find, by their size.

    Attributes:
        config: settings of the measurement, as `stainless pod` takes them; null for none. Its
            resolution must be that of the real set.
        scenarios: whose models are measured; those that were not made are left out.
        plates: at most so many; null for as many as the measurement says.
    """

    config: str | None = None
    scenarios: list[str] = field(
        default_factory=lambda: ["Real", "Synth_WS", "Synth_WS finetuned", "Melding_WS"]
    )
    plates: int | None = None


@dataclass
class Settings(Common):
    """A sim-to-real experiment.

    Attributes:
        real: what is inspected.
        synthetic: what is rendered to learn from.
        detector: the detector that all scenarios share.
        scenarios: names of those to run; empty for all.
        baselines: other detectors.
        pod: the probability of detection of flaws of known size.
    """

    title: str = "Sim-to-real"
    out: str = "reports/sim_to_real"
    real: Real = field(default_factory=Real)
    synthetic: Synthetic = field(default_factory=Synthetic)
    detector: Detector = field(default_factory=Detector)
    scenarios: list[str] = field(default_factory=list)
    baselines: Baselines = field(default_factory=Baselines)
    pod: Detection = field(default_factory=Detection)

    def validate(self) -> None:
        """Check every value.

        Raises:
            ValueError, InputError: one line with key, value and expectation.
        """
        super().validate()
        self.detector.validate("detector")
        least("baselines.every", self.baselines.every or 1, 1)
        least("baselines.steps", self.baselines.steps, 1)
        least("synthetic.samples", self.synthetic.samples, 1)
        if not 0 <= self.real.hold_out < 1:
            raise ValueError(f"real.hold_out: {self.real.hold_out}, expected 0 to below 1")
        names = [scenario.name for scenario in SCENARIOS]
        for key, chosen in (("scenarios", self.scenarios), ("pod.scenarios", self.pod.scenarios)):
            for name in chosen:
                if name not in names:
                    raise ValueError(f"{key}: {name}, expected some of {', '.join(names)}")
        least("pod.plates", self.pod.plates or 1, 1)
