"""The course of a sim-to-real experiment, stage by stage; what is finished is not done again.

Datasets, features, coresets wave by wave, baselines, figures, findings, report. Everything is
named by the content of what it was made from, so that a changed input makes new what depends on it
and nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from stainless.dataset import Sample, image_size
from stainless.errors import InputError
from stainless.files import remove_partials
from train.commands.common import check_device
from train.experiments import jobs, pool, sources
from train.experiments.baselines import BASELINES, BaselineSettings
from train.experiments.feature_store import bytes_needed, content, digest, remove
from train.experiments.fits import Fit, is_done, planned
from train.experiments.judging import TEST, VALIDATION, judged, judged_key, result_file
from train.experiments.results import Method, write_results
from train.experiments.scenarios import REAL, chosen, with_needs
from train.experiments.settings import Experiment
from train.experiments.sources import Pictures
from train.experiments.stages import Stages
from train.features import FeatureExtractor


def run(experiment: Experiment, command: str, until: str | None = None) -> int:
    """Run an experiment to its report.

    Args:
        experiment: what to do.
        command: how it was called, for the report.
        until: "render" stops when the datasets are there.

    Raises:
        InputError: whatever is wrong with settings or data, in one line.
    """
    for name in experiment.baselines.models:
        if name not in BASELINES:
            raise InputError(f"baselines.models: {name}, expected some of {', '.join(BASELINES)}")
    check_device(experiment.device)
    out = Path(experiment.out)
    stages = Stages(out / "stages.json")
    count = pool.workers(experiment.workers)
    sources.render(experiment, stages, count)
    if until == "render":
        return 0
    remove_partials(out)
    for left in out.glob(".maps.*"):
        shutil.rmtree(left)
    course = _Course(experiment, out, stages, count)
    course.fit()
    course.baselines()
    course.judge()
    with stages("findings and report"):
        write_results(
            experiment,
            course.pictures,
            course.methods,
            course.judged_digest,
            course.store,
            stages,
            command,
        )
        from train.report import write_report

        page = write_report(out)
    remove(course.features)
    print(page)
    return 0


class _Course:
    """The stages between the datasets and the results.

    Args:
        experiment: what to do.
        out: folder of the results.
        stages: takes the times.
        count: processes.
    """

    def __init__(self, experiment: Experiment, out: Path, stages: Stages, count: int) -> None:
        self._experiment = experiment
        self._out = out
        self._stages = stages
        self._count = count
        self.pictures: Pictures = sources.read(experiment)
        detector = experiment.detector
        self._options = experiment.extractor_options()
        self._extractor = FeatureExtractor(**self._options)
        self._models = out / "models"
        self.features = out / "features"
        self._contents: dict[str, list[str]] = {
            key: [
                f"{trainset.name}/{sample.name} {content(sample.image)}"
                for trainset in trainsets
                for sample in trainset.samples
            ]
            for key, trainsets in self.pictures.trainsets.items()
        }
        self.judged_digest = digest(
            [
                [sample.name, *(content(path) for path in _files(sample))]
                for sample in (*self.pictures.validation, *self.pictures.test)
            ]
        )
        waves = with_needs(chosen(experiment.scenarios))
        self._plans: list[list[list[Fit]]] = [
            planned(waves, seed, detector, self._extractor.identity(), self._contents)
            for seed in self.seeds
        ]
        self.store: Path | None = self.features if self._fits_on_disk() else None

    @property
    def seeds(self) -> list[int]:
        """The seed of each repeat."""
        return [self._experiment.seed + number for number in range(self._experiment.repeats)]

    @property
    def parts(self) -> dict[str, list[Sample]]:
        """The labelled pictures."""
        return {VALIDATION: self.pictures.validation, TEST: self.pictures.test}

    @property
    def methods(self) -> list[Method]:
        """The methods of the table, with the keys and files of each repeat."""
        wanted = chosen(self._experiment.scenarios)
        found = []
        for scenario in wanted:
            fits = [self._fit_of(plan, scenario.name) for plan in self._plans]
            found.append(
                Method(
                    scenario.name,
                    scenario.slug,
                    scenario.family,
                    None,
                    self.seeds,
                    [fit.key for fit in fits],
                    self._models,
                )
            )
        for name in self._experiment.baselines.models:
            found.append(
                Method(
                    BASELINES[name],
                    name,
                    "baseline",
                    self._baseline_settings().note_on(name),
                    self.seeds,
                    [self._baseline_key(name, seed) for seed in self.seeds],
                    None,
                )
            )
        return found

    def fit(self) -> None:
        """Make all coresets, wave by wave."""
        waves = [
            [fit for plan in self._plans for fit in plan[number]]
            for number in range(len(self._plans[0]))
        ]
        self._extract([fit for wave in waves for fit in wave])
        for number, wave in enumerate(waves):
            missing = {fit.key: fit for fit in wave if not is_done(self._models, fit.key)}
            if not missing:
                continue
            with self._stages("fits" if number == 0 else "finetuning and melding"):
                self._run(
                    [
                        (
                            jobs.fit,
                            (
                                fit,
                                self.pictures.trainsets.get(fit.scenario.trainset or "", []),
                                self._models,
                                self.store,
                                self._experiment.detector,
                            ),
                        )
                        for fit in sorted(missing.values(), key=self._work, reverse=True)
                    ],
                    "fits",
                )

    def baselines(self) -> None:
        """Train anomalib's models, judge them, and drop their maps."""
        nominal = [sample for one in self.pictures.trainsets[REAL] for sample in one.samples]
        todo = [
            (
                jobs.baseline,
                (
                    name,
                    nominal,
                    self.parts,
                    self._out,
                    self._baseline_settings(),
                    seed,
                    self._experiment.device,
                    self._baseline_key(name, seed),
                    seed == self._experiment.seed,
                ),
            )
            for name in self._experiment.baselines.models
            for seed in self.seeds
            if judged(result_file(self._out, name, seed), self._baseline_key(name, seed)) is None
        ]
        if todo:
            with self._stages("baselines"):
                self._run(todo, "baselines")

    def judge(self) -> None:
        """Score, threshold and evaluate every scenario."""
        todo = []
        for scenario in chosen(self._experiment.scenarios):
            for plan, seed in zip(self._plans, self.seeds, strict=True):
                made = self._fit_of(plan, scenario.name).key
                key = judged_key(made, self.judged_digest)
                if judged(result_file(self._out, scenario.slug, seed), key) is None:
                    first = seed == self._experiment.seed
                    given = (scenario.slug, seed, made, self._models, self.store)
                    todo.append((jobs.judge, (*given, self.parts, self._out, key, first)))
        if todo:
            with self._stages("scoring and metrics"):
                self._run(todo, "judging")

    def _baseline_settings(self) -> BaselineSettings:
        chosen = self._experiment.baselines
        return BaselineSettings(
            every=chosen.every, size=self._experiment.detector.size, steps=chosen.steps
        )

    def _baseline_key(self, name: str, seed: int) -> str:
        facts = [
            name,
            seed,
            asdict(self._baseline_settings()),
            self._contents[REAL],
            self.judged_digest,
        ]
        return digest(facts)

    def _run(self, work: Sequence[pool.Job], title: str) -> None:
        pool.run(work, self._count, title, self._options)

    def _extract(self, fits: Sequence[Fit]) -> None:
        """Keep the features of all pictures that are learned from as they are, or judged."""
        if self.store is None or all(is_done(self._models, fit.key) for fit in fits):
            return
        wanted = self._pictures()
        share = -(-len(wanted) // (4 * self._count))
        with self._stages("features"):
            self._run(
                [
                    (jobs.extract, (wanted[start : start + share], self.store))
                    for start in range(0, len(wanted), share)
                ],
                "features",
            )

    def _pictures(self) -> list[Sample]:
        """Return each picture whose features are wanted more than once, once."""
        plain = {
            fit.scenario.trainset
            for wave in self._plans[0]
            for fit in wave
            if fit.scenario.trainset is not None and not fit.scenario.augment
        }
        learned = [
            sample
            for key, trainsets in self.pictures.trainsets.items()
            if key in plain
            for trainset in trainsets
            for sample in trainset.samples
        ]
        every = [*learned, *self.pictures.validation, *self.pictures.test]
        return list({sample.image: sample for sample in every}.values())

    def _fits_on_disk(self) -> bool:
        sizes = {sample.image: image_size(sample.image) for sample in self._pictures()}
        needed = bytes_needed(self._extractor, sizes)
        room = shutil.disk_usage(self._out).free
        return needed <= min(self._experiment.cache_gb * 1e9, room / 2)

    def _work(self, fit: Fit) -> int:
        """Return how long a fit takes, roughly: the longest go first."""
        pictures = len(self._contents.get(fit.scenario.trainset or "", []))
        return pictures * (8 if fit.scenario.augment else 1)

    def _fit_of(self, plan: Sequence[Sequence[Fit]], name: str) -> Fit:
        return next(fit for wave in plan for fit in wave if fit.scenario.name == name)


def _files(sample: Sample) -> list[Path]:
    """Return the files of a sample that its figures depend on."""
    found = [sample.image]
    for path in (sample.mask, sample.annotation):
        if path is not None:
            found += sorted(path.iterdir()) if path.is_dir() else [path]
    return found
