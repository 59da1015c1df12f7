"""The protocol of an experiment: which pictures, which methods, what is claimed, what is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from stainless.dataset import Sample
from train.detectors.detector import Trainset
from train.experiments.comparison import Comparisons
from train.report.reading import Reading
from train.report.results import Finding, MethodResults, Results, mean
from train.report.sections import Page, general

if TYPE_CHECKING:
    from train.experiments.feature_store import FeatureStore


@dataclass(frozen=True)
class Dataset:
    """A dataset that must be there before anything is read.

    Attributes:
        key: of its settings, for messages: "real" for `--real.data`.
        root: its folder.
        scene: renders it where it is missing; None where it must exist.
        scale: resolution factor of the rendering.
        samples: number of samples; None for as many as the scene says.
    """

    key: str
    root: Path
    scene: str | None
    scale: float = 1.0
    samples: int | None = None


@dataclass(frozen=True)
class Pictures:
    """What is learned from, and what methods are evaluated on.

    Attributes:
        trainsets: nominal pictures, by the names that methods call them.
        validation: where thresholds are fitted.
        test: what the figures are of.
        note: how the validation split came about.
        variants: the validation and the test split, of the same names, as some methods see them.
        rules: rule of each kind of threshold (`train.verdicts.rule`), and its number or None for
            its default; empty for the usual ones.
    """

    trainsets: Mapping[str, Sequence[Trainset]]
    validation: Sequence[Sample]
    test: Sequence[Sample]
    note: str = ""
    variants: Mapping[str, tuple[Sequence[Sample], Sequence[Sample]]] = field(default_factory=dict)
    rules: Mapping[str, tuple[str, float | None]] = field(default_factory=dict)

    def splits(self, variant: str | None) -> tuple[Sequence[Sample], Sequence[Sample]]:
        """Return the validation and the test split as the methods of a variant see them."""
        return (self.validation, self.test) if variant is None else self.variants[variant]


@dataclass(frozen=True)
class MethodEntry:
    """A detector with its settings, and what it learns from: a row of the tables.

    Attributes:
        name: as printed.
        family: under which heading it stands.
        detector: name of a method of `train/detectors`.
        settings: of that.
        trainset: which pictures it is fitted to; None when it is melded.
        every: learn from every Nth of them.
        augment: whether they are varied.
        base: name of the method whose model it continues; None for a fit from nothing.
        sources: names of the methods whose models are melded, in this order.
        members: names of the methods whose models it combines, in this order; its settings'
            `members` become their files.
        calibrated: whether its model carries a calibration, fitted to the validation split.
        variant: which of `Pictures.variants` it is evaluated on; None for the pictures as they are.
        note: what must be known to compare it; None for nothing.
        listed: whether it is in the tables; a method may be there for others alone.
    """

    name: str
    family: str
    detector: str
    settings: Any
    trainset: str | None = None
    every: int = 1
    augment: bool = False
    base: str | None = None
    sources: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    calibrated: bool = False
    variant: str | None = None
    note: str | None = None
    listed: bool = True

    @property
    def slug(self) -> str:
        """Name of its files."""
        return re.sub("[^a-z0-9]+", "_", self.name.lower()).strip("_")

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the methods that come before it."""
        return self.sources + self.members + ((self.base,) if self.base is not None else ())

    @property
    def made_by(self) -> str:
        """What makes its models, in the plural, as stages are called."""
        if self.sources:
            return "meldings"
        if self.members:
            return "combinations"
        return "fits" if self.base is None else "continued fits"


@dataclass(frozen=True)
class Finished:
    """What is there when every method has been evaluated.

    Attributes:
        pictures: what they learned from and were evaluated on.
        methods: those of the tables.
        models: file of each method's model, of the first repeat.
        folder: of the experiment's results.
        classes: kind of each class that the test pictures show, "defect" or "impurity".
        comparisons: of the methods.
        figures: what `evaluate` returned of each method, one a repeat, and beside it what scoring
            took ("scoring") and how well it is calibrated ("calibration").
        costs: what the model of each method took, of the first repeat: seconds of the wall and of
            the processor, and memory.
        store: gives the features of pictures by the extractor of a method that scores features.
    """

    pictures: Pictures
    methods: Sequence[MethodEntry]
    models: Mapping[str, Path]
    folder: Path
    classes: Mapping[str, str]
    comparisons: Comparisons
    figures: Mapping[str, Sequence[Mapping[str, Any]]]
    costs: Mapping[str, Mapping[str, Any]]
    store: Callable[[MethodEntry], FeatureStore]


@dataclass(frozen=True)
class Conclusion:
    """What an experiment makes of its figures.

    Attributes:
        findings: its claims with their verdicts.
        own: JSON-able, for its own sections of the report.
    """

    findings: list[Finding] = field(default_factory=list)
    own: dict[str, Any] = field(default_factory=dict)


class Experiment(Protocol):
    """An experiment; `EXPERIMENT` of its folder's `experiment.py` is a class of this kind."""

    #: Families of methods in the order of the tables, and their headings.
    families: ClassVar[Mapping[str, str]]

    def __init__(self, settings: Any) -> None: ...

    def datasets(self) -> Sequence[Dataset]:
        """Return the datasets that must be there; those with a scene are rendered if missing."""
        return ()

    def methods(self) -> Sequence[MethodEntry]:
        """Return the methods in the order of the tables, with all that they need.

        Raises:
            InputError: a method of the settings that there is not.
        """
        ...

    def pictures(self) -> Pictures:
        """Read what is learned from and evaluated on.

        Raises:
            InputError: data that cannot be used; one line.
        """
        ...

    def shown(self, methods: Sequence[MethodResults]) -> list[str]:
        """Return the names of the few methods that figures show: here each family's best."""
        best: dict[str, MethodResults] = {}
        for method in methods:
            known = best.setdefault(method["family"], method)
            if (mean(method, "f1") or 0) > (mean(known, "f1") or 0):
                best[method["family"]] = method
        return [method["name"] for method in best.values()][:5]

    def conclude(self, finished: Finished) -> Conclusion:
        """Return what becomes of the claims."""
        return Conclusion()

    @staticmethod
    def page(results: Results, reading: Reading, folder: Path) -> Page:
        """Return the sections of the report."""
        return general(results, reading)


def lineage(name: str, methods: Mapping[str, MethodEntry]) -> list[str]:
    """Return the names of the methods that one continues, the first first, and its own."""
    base = methods[name].base
    return [*(lineage(base, methods) if base is not None else []), name]


def learned_from(method: MethodEntry, pictures: Pictures) -> list[Trainset]:
    """Return the pictures that a method is fitted to; none when it is melded."""
    if method.trainset is None:
        return []
    return [
        Trainset(trainset.name, trainset.samples[:: method.every])
        for trainset in pictures.trainsets[method.trainset]
    ]


def waves(methods: Sequence[MethodEntry]) -> list[list[MethodEntry]]:
    """Return the methods in waves; each needs earlier waves only.

    Raises:
        ValueError: a method needs one that there is not, or itself.
    """
    found: list[list[MethodEntry]] = []
    done: set[str] = set()
    while len(done) < len(methods):
        wave = [m for m in methods if m.name not in done and done.issuperset(m.needs)]
        if not wave:
            left = [method.name for method in methods if method.name not in done]
            raise ValueError(f"methods {', '.join(left)}: what they need is not there")
        found.append(wave)
        done |= {method.name for method in wave}
    return found
