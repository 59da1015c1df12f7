"""The experiment: its datasets, methods and claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from stainless.dataset import read_category, read_classes
from stainless.errors import InputError
from train.detectors.detector import Trainset, methods
from train.experiments.datasets import read_labelled
from train.experiments.experiment import (
    Conclusion,
    Dataset,
    Experiment,
    Finished,
    MethodEntry,
    Pictures,
)
from train.experiments.sim_to_real import claims, detection, page, reasons
from train.experiments.sim_to_real.scenarios import (
    CLEAN,
    CLEAN_LIGHTS,
    REAL,
    STAINED,
    STAINED_LIGHTS,
    Scenario,
    chosen,
    with_needs,
)
from train.experiments.sim_to_real.settings import Settings
from train.report.results import MethodResults, mean

#: The method of all scenarios.
DETECTOR = "sequential_patchcore"

#: Whose memory the map shows: the first of these that was made.
REMEMBERED = ("Melding_WS", "Melding", "Synth_WS finetuned", "Synth finetuned", "Synth_WS", "Synth")

#: Names of baselines where that of their method alone would not do.
TITLES = {
    "patchcore": "anomalib PatchCore",
    "padim": "anomalib PaDiM",
    "supersimplenet": "anomalib SuperSimpleNet",
}

#: Where no other number is set, PatchCore learns from every so manieth picture: its selection
#: takes a pass over all patches for each of its members.
PATCHCORE_EVERY = 8

#: SuperSimpleNet learns from windows of this side in pixels, so many in a step.
WINDOW, BATCH = 128, 8


class SimToReal(Experiment):
    """Scenarios of synthetic and real training, compared on real pictures."""

    families: ClassVar[Mapping[str, str]] = {
        "real": "Trained on real pictures",
        "synthetic": "Trained on synthetic pictures",
        "finetuned": "Synthetic, finetuned on real",
        "melded": "Melded",
        "baseline": "Baselines",
    }

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._scenarios = with_needs(chosen(settings.scenarios))

    def datasets(self) -> Sequence[Dataset]:
        """Return the real set, or its stand-in, and the synthetic one."""
        detection.check(self._settings)
        real, synthetic = self._settings.real, self._settings.synthetic
        return (
            Dataset("real", Path(real.data), real.scene, real.scale),
            Dataset(
                "synthetic",
                Path(synthetic.data),
                synthetic.scene,
                synthetic.scale,
                synthetic.samples,
            ),
        )

    def methods(self) -> Sequence[MethodEntry]:
        """Return the scenarios with all that they need, and the baselines."""
        listed = {scenario.name for scenario in chosen(self._settings.scenarios)}
        scenarios = [
            self._method(scenario, scenario.name in listed) for scenario in self._scenarios
        ]
        return [*scenarios, *(self._baseline(name) for name in self._settings.baselines.models)]

    def _method(self, scenario: Scenario, listed: bool) -> MethodEntry:
        return MethodEntry(
            scenario.name,
            scenario.family,
            DETECTOR,
            self._settings.detector,
            scenario.trainset,
            augment=scenario.augment,
            base=scenario.base,
            sources=scenario.sources,
            listed=listed,
        )

    def _baseline(self, name: str) -> MethodEntry:
        known = methods()
        if name not in known:
            raise InputError(f"baselines.models: {name}, expected some of {', '.join(known)}")
        chosen = self._settings.baselines
        defaults = known[name].settings()
        every = chosen.every
        if every is None:
            every = PATCHCORE_EVERY if name == "patchcore" else 1
        # Pictures at their own size, as for all scenarios.
        wanted: dict[str, Any] = {"side": None}
        notes = [f"learns from one in {every} nominal pictures"] if every > 1 else []
        if name == "patchcore":
            wanted["members"] = self._settings.detector.size
        if name == "supersimplenet":
            wanted |= {"steps": chosen.steps, "window": WINDOW, "batch": BATCH}
            wanted["picture_head"] = False
            notes.append(f"{chosen.steps} steps on windows of {WINDOW} pixels, not converged")
        has = {field.name for field in fields(defaults)}
        settings = replace(defaults, **{key: wanted[key] for key in wanted if key in has})
        note = "; ".join(notes) or None
        title = TITLES.get(name, name)
        return MethodEntry(title, "baseline", name, settings, REAL, every, note=note)

    def pictures(self) -> Pictures:
        """Read the real set and the synthetic ones that the scenarios need.

        Raises:
            InputError: a missing category, mask or validation split, no defects to find, a stain
                that the synthetic set does not know, and whatever `read_category` refuses.
        """
        real = self._settings.real
        root = Path(real.data)
        self._check_stain()
        nominal = read_category(root, real.category, "train", real.classes)
        labelled = read_labelled(
            root,
            real.category,
            real.classes,
            real.hold_out,
            self._settings.seed,
            "--real.hold_out",
        )
        trainsets = {REAL: [Trainset(real.category, nominal)], **self._synthetic()}
        return Pictures(trainsets, labelled.validation, labelled.test, labelled.note)

    def _check_stain(self) -> None:
        """Refuse a stain that the synthetic pictures do not know."""
        synthetic = self._settings.synthetic
        listed = Path(synthetic.data) / "annotations" / "classes.json"
        if listed.is_file():
            names = [known.name for known in read_classes(listed).values()]
            if synthetic.stain not in names:
                raise InputError(
                    f"synthetic.stain: {synthetic.stain}, expected a class of {listed}: "
                    f"{', '.join(names)}"
                )

    def _synthetic(self) -> dict[str, list[Trainset]]:
        """Return the synthetic trainsets that the scenarios need."""
        synthetic = self._settings.synthetic
        needed = {scenario.trainset for scenario in self._scenarios}
        found = {}
        for key, category, lights in (
            (CLEAN, synthetic.clean, []),
            (CLEAN_LIGHTS, synthetic.clean, synthetic.lights),
            (STAINED, synthetic.stained, []),
            (STAINED_LIGHTS, synthetic.stained, synthetic.lights),
        ):
            if key in needed:
                names = [category, *(f"{category}_{ending}" for ending in lights)]
                root = Path(synthetic.data)
                found[key] = [Trainset(name, read_category(root, name, "train")) for name in names]
        return found

    def shown(self, methods: Sequence[MethodResults]) -> list[str]:
        """Return those that the paper's own figures compare.

        Real, Synth, Synth_WS, and of the finetuned and the melded each the one of the highest
        pixel F1. Where a name is missing, the first of its family stands for it.
        """
        found: list[str] = []
        for family, name in (
            ("real", "Real"),
            ("synthetic", "Synth"),
            ("synthetic", "Synth_WS"),
            ("finetuned", None),
            ("melded", None),
        ):
            rest = [m for m in methods if m["family"] == family and m["name"] not in found]
            if name is None:
                rest.sort(key=lambda method: -(mean(method, "f1") or 0.0))
            named = [method for method in rest if method["name"] == name]
            found += [method["name"] for method in (named or rest)[:1]]
        return found or [method["name"] for method in methods[:5]]

    def conclude(self, finished: Finished) -> Conclusion:
        """Return the paper's findings, and what may be behind those that do not hold."""
        stain = self._settings.synthetic.stain
        followed = stain if stain in finished.classes else None
        evidence = reasons.gather(finished, followed)
        scenarios = {method.name for method in finished.methods if method.detector == DETECTOR}
        compared = finished.comparisons.of(scenarios)
        return Conclusion(
            claims.findings(compared, followed, evidence.reason),
            {
                "real": self._real(finished.pictures),
                "synthetic": self._counts(finished.pictures),
                "evidence": asdict(evidence),
                "memory_map": self._memory_map(finished),
                "pod": detection.measure(self._settings, finished),
            },
        )

    def _real(self, pictures: Pictures) -> dict[str, Any]:
        real = self._settings.real
        return {
            "root": real.data,
            "category": real.category,
            "kind": real.kind,
            "note": f"Validation split: {pictures.note}.",
            "train": sum(len(trainset.samples) for trainset in pictures.trainsets[REAL]),
            "validation": len(pictures.validation),
            "test": len(pictures.test),
        }

    def _counts(self, pictures: Pictures) -> dict[str, Any]:
        synthetic = self._settings.synthetic
        return {
            "root": synthetic.data,
            "scene": synthetic.scene,
            "images": {
                trainset.name: len(trainset.samples)
                for key, trainsets in pictures.trainsets.items()
                if key != REAL
                for trainset in trainsets
            },
        }

    def _memory_map(self, finished: Finished) -> dict[str, Any] | None:
        """Return which coreset the map shows, and what its sources are."""
        known = [method.name for method in finished.methods if method.detector == DETECTOR]
        name = next((name for name in REMEMBERED if name in known), next(iter(known), None))
        if name is None:
            return None
        origins, roots = {}, {}
        for key, trainsets in finished.pictures.trainsets.items():
            data = self._settings.real.data if key == REAL else self._settings.synthetic.data
            kind = "real" if key == REAL else "synthetic" if key.startswith(CLEAN) else "stained"
            for trainset in trainsets:
                origins[trainset.name] = kind
                roots[trainset.name] = (Path(data) / trainset.name).as_posix()
        model = finished.models[name].relative_to(finished.folder).as_posix()
        return {"model": model, "method": name, "origins": origins, "roots": roots}

    page = staticmethod(page.compose)


EXPERIMENT = SimToReal
