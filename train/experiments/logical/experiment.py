"""The experiment: its pictures, its methods, and what it makes of their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from stainless.dataset import Sample, read_category
from stainless.errors import InputError
from train.detectors import member_words
from train.detectors.detector import Trainset, method
from train.experiments.datasets import read_labelled
from train.experiments.experiment import (
    Conclusion,
    Dataset,
    Experiment,
    Finished,
    MethodEntry,
    Pictures,
)
from train.experiments.logical import claims, costs, page
from train.experiments.logical.background import black_samples
from train.experiments.logical.methods import FAMILIES, Scenario, chosen
from train.experiments.logical.settings import Settings
from train.report.results import MethodResults

#: Trainsets: pictures as they are, and with a black background; and the latter's variant.
AS_THEY_ARE, BLACK = "nominal", "black"

#: What a method's name gets where the background is black.
ENDING = ", black background"

#: Network that stands in for the published one of CS-Flow, see the detector's README.
CSFLOW_STAND_IN = "efficientnet_lite0"


class Logical(Experiment):
    """Methods compared on structural and logical anomalies."""

    families: ClassVar[Mapping[str, str]] = FAMILIES

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wanted = chosen(settings.methods)
        self._run = [scenario for scenario in self._wanted if self._can_run(scenario)]

    def _can_run(self, scenario: Scenario) -> bool:
        """Tell whether a method has the weights that it cannot do without."""
        if scenario.weights in (None, "csflow"):
            return True
        return getattr(self._settings.weights, scenario.weights) is not None

    def datasets(self) -> Sequence[Dataset]:
        """Return the one dataset."""
        data = self._settings.pictures
        return (Dataset("pictures", Path(data.data), data.scene, data.scale, data.samples),)

    def methods(self) -> Sequence[MethodEntry]:
        """Return what can be run, and the ablation's methods after them."""
        names = {scenario.name for scenario in self._run}
        members = {name for scenario in self._run for name in scenario.members}
        found = [
            self._method(scenario, scenario.name in members)
            for scenario in self._run
            if names.issuperset(scenario.members)
        ]
        black = [entry for entry in found if entry.name in self._settings.black.methods]
        return [*found, *(self._blackened(entry) for entry in black)]

    def _method(self, scenario: Scenario, is_member: bool) -> MethodEntry:
        return MethodEntry(
            scenario.name,
            scenario.family,
            scenario.method,
            self._tuned(scenario),
            AS_THEY_ARE,
            members=scenario.members,
            calibrated=is_member,
            note=self._note(scenario),
        )

    def _blackened(self, entry: MethodEntry) -> MethodEntry:
        return replace(
            entry,
            name=entry.name + ENDING,
            family="black",
            trainset=BLACK,
            variant=BLACK,
            calibrated=False,
        )

    def _tuned(self, scenario: Scenario) -> Any:
        """Return the settings of a method: the published ones, and what caps and weights say."""
        known = method(scenario.method).settings
        settings = replace(known(), **scenario.settings)
        weights = self._settings.weights
        if scenario.weights is not None:
            file = getattr(weights, scenario.weights)
            settings = replace(settings, weights=file)
            if scenario.weights == "csflow" and file is None:
                settings = replace(settings, encoder=CSFLOW_STAND_IN)
        if scenario.method == "efficient_ad":
            settings = replace(settings, imagenet=weights.natural)
        for word in self._settings.caps:
            name, capped = member_words.chosen(word, "caps")
            if name == scenario.method:
                keys = [pair.partition("=")[0] for pair in word.split()[1:]]
                settings = replace(settings, **{key: getattr(capped, key) for key in keys})
        return settings

    def _note(self, scenario: Scenario) -> str | None:
        """Return what must be known to compare a method, its caps among it."""
        notes = []
        has_file = scenario.weights and getattr(self._settings.weights, scenario.weights)
        if scenario.note is not None and not (scenario.weights == "csflow" and has_file):
            notes.append(scenario.note)
        if scenario.members:
            notes.append(f"of {' and '.join(scenario.members)}")
        published = replace(method(scenario.method).settings(), **scenario.settings)
        for key in fields(published):
            capped = getattr(self._tuned(scenario), key.name)
            default = getattr(published, key.name)
            if capped != default and key.name not in ("weights", "encoder", "imagenet"):
                of = "" if default is None else f" instead of {default}"
                notes.append(f"{key.name} {capped}{of}")
        return "; ".join(notes) or None

    def pictures(self) -> Pictures:
        """Read the pictures; write those with a black background.

        Raises:
            InputError: data that cannot be used; one line.
        """
        known = self._settings.pictures
        root = Path(known.data)
        nominal = read_category(root, known.category, "train", known.classes)[:: known.every]
        labelled = read_labelled(
            root,
            known.category,
            known.classes,
            known.hold_out,
            self._settings.seed,
            "--pictures.hold_out",
        )
        if not any(sample.is_good for sample in labelled.validation) or all(
            sample.is_good for sample in labelled.validation
        ):
            raise InputError(
                f"{root / known.category}: its validation pictures are of one class, expected good "
                "and defective ones to calibrate with: a tree validation/"
                f"{known.category}/test beside it, or --pictures.hold_out 0.2"
            )
        test = _thinned(labelled.test, known.every_good)
        trainsets = {AS_THEY_ARE: [Trainset(known.category, nominal)]}
        variants = {}
        if any(entry.variant == BLACK for entry in self.methods()):
            dark = [self._black(split) for split in (nominal, labelled.validation, test)]
            trainsets[BLACK] = [Trainset(known.category, dark[0])]
            variants[BLACK] = (dark[1], dark[2])
        return Pictures(trainsets, labelled.validation, test, labelled.note, variants)

    def _black(self, samples: Sequence[Sample]) -> list[Sample]:
        how = self._settings.black
        folder = Path(self._settings.out) / "black"
        return black_samples(samples, how.part, how.margin, folder)

    def shown(self, methods: Sequence[MethodResults]) -> list[str]:
        """Return the methods on the pictures as they are, up to six."""
        return [entry["name"] for entry in methods if entry["family"] != "black"][:6]

    def conclude(self, finished: Finished) -> Conclusion:
        """Return what the survey says, and its own tables."""
        scenarios = {scenario.name: scenario for scenario in self._wanted}
        settings = self._settings
        rows = claims.Rows(finished, settings.seed, settings.bootstrap_rounds)
        run = {entry.name for entry in finished.methods}
        return Conclusion(
            [
                *claims.kinds(rows, [entry for entry in finished.methods if not entry.variant]),
                *claims.background(rows, finished.methods, ENDING),
                *claims.ensembles(rows, finished.methods),
            ],
            {
                "data": asdict(settings.pictures),
                "note": finished.pictures.note,
                "counts": _counts(finished.pictures),
                "kinds": claims.figures(finished),
                "costs": costs.gather(finished),
                "black": asdict(settings.black),
                "published": {
                    entry.name: scenario.published
                    for entry in finished.methods
                    if (scenario := scenarios.get(entry.name.removesuffix(ENDING))) is not None
                },
                "absent": {
                    scenario.name: costs.why_absent(scenario)
                    for scenario in self._wanted
                    if scenario.name not in run
                },
                "calibration": {
                    name: found[0].get("calibration") for name, found in finished.figures.items()
                },
            },
        )

    page = staticmethod(page.compose)


def _thinned(samples: Sequence[Sample], every: int) -> list[Sample]:
    """Return all defective samples and every Nth good one."""
    good = [sample for sample in samples if sample.is_good][::every]
    kept = {sample.name for sample in good}
    return [sample for sample in samples if not sample.is_good or sample.name in kept]


def _counts(pictures: Pictures) -> dict[str, int]:
    test = pictures.test
    return {
        "train": sum(len(trainset.samples) for trainset in pictures.trainsets[AS_THEY_ARE]),
        "validation": len(pictures.validation),
        "validation_good": sum(sample.is_good for sample in pictures.validation),
        "test": len(test),
        "test_good": sum(sample.is_good for sample in test),
    }


EXPERIMENT = Logical
