"""An experiment stage by stage; what is finished is not done again.

Datasets, features, models wave by wave, figures, conclusion, report. Everything is named by the
content of what it was made from (`keys.py`), so that a changed input makes new what depends on it
and nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from stainless.dataset import Sample
from stainless.errors import InputError
from stainless.files import remove_partials
from train.detectors.detector import method as detector_method
from train.experiments import datasets, feature_store, fits, pool, scoring
from train.experiments.experiment import (
    Experiment,
    MethodEntry,
    Pictures,
    learned_from,
    lineage,
    waves,
)
from train.experiments.feature_store import Options, options_of
from train.experiments.fits import Fit, is_done, model_file
from train.experiments.gathering import Row, write_results
from train.experiments.keys import figures_key, labelled_contents
from train.experiments.scoring import TEST, VALIDATION, figures_file, read_figures
from train.experiments.settings import Common
from train.experiments.stages import Stages
from train.report import check_report, write_report


def run(
    experiment: Experiment, settings: Common, command: str, until: str | None = None
) -> Path | None:
    """Run an experiment to its report.

    Args:
        experiment: what to do.
        settings: its settings.
        command: how it was called, for the report.
        until: "render" stops when the datasets are there.

    Returns:
        The page of the report; None if it stopped before.

    Raises:
        InputError: whatever is wrong with settings or data, in one line.
    """
    methods = experiment.methods()
    for method in methods:
        if not detector_method(method.detector).maps:
            raise InputError(
                f"{method.name}: {method.detector}, expected a method that gives anomaly maps; "
                "see `stainless methods`"
            )
    out = Path(settings.out)
    stages = Stages(out / "stages.json")
    count = pool.workers(settings.workers)
    # Before hours of work.
    check_report(out)
    datasets.render(experiment.datasets(), stages, count)
    if until == "render":
        return None
    pictures = experiment.pictures()
    out.mkdir(parents=True, exist_ok=True)
    remove_partials(out)
    for left in out.glob(".maps.*"):
        shutil.rmtree(left)
    runner = Runner(settings, methods, pictures, stages, count)
    runner.fit()
    runner.measure()
    with stages("findings and report"):
        write_results(
            experiment,
            settings,
            runner.pictures,
            runner.rows,
            runner.features if runner.keeps else None,
            stages,
            command,
        )
        page = write_report(out, experiment.page)
    feature_store.remove(runner.features)
    return page


class Runner:
    """The stages between the datasets and the results.

    Args:
        settings: of the experiment.
        methods: all of them.
        pictures: what they learn from and are evaluated on.
        stages: takes the times.
        count: processes.
    """

    def __init__(
        self,
        settings: Common,
        methods: Sequence[MethodEntry],
        pictures: Pictures,
        stages: Stages,
        count: int,
    ) -> None:
        self.pictures = pictures
        self._methods = methods
        self._device = settings.device
        self._stages = stages
        self._count = count
        self._out = Path(settings.out)
        self.models = self._out / "models"
        self.features = self._out / "features"
        self._seeds = [settings.seed + number for number in range(settings.repeats)]
        self._splits = {
            variant: dict(zip((VALIDATION, TEST), pictures.splits(variant), strict=True))
            for variant in {None, *(method.variant for method in methods)}
        }
        self._labelled = {
            variant: labelled_contents([*splits[VALIDATION], *splits[TEST]])
            for variant, splits in self._splits.items()
        }
        ordered = waves(methods)
        self._plans = [
            fits.planned(ordered, seed, settings.device, pictures) for seed in self._seeds
        ]
        self._wanted = self._pictures_of_stores()
        self.keeps = self._fit_on_disk(settings.cache_gb)

    @property
    def rows(self) -> list[Row]:
        """The methods of the tables with their models and figures of each repeat."""
        found = []
        for method in self._methods:
            if method.listed:
                models = [self._fit_of(plan, method).key for plan in self._plans]
                labelled, rules = self._labelled[method.variant], self.pictures.rules
                figures = [figures_key(model, labelled, rules) for model in models]
                origin = lineage(method.name, {known.name: known for known in self._methods})
                found.append(Row(method, origin, self._seeds, models, figures))
        return found

    def fit(self) -> None:
        """Make all models, wave by wave."""
        plan_of_waves = [
            [fit for plan in self._plans for fit in plan[number]]
            for number in range(len(self._plans[0]))
        ]
        self._extract([fit for wave in plan_of_waves for fit in wave])
        for wave in plan_of_waves:
            missing = {fit.key: fit for fit in wave if not is_done(self.models, fit.key)}
            if not missing:
                continue
            kinds = dict.fromkeys(fit.method.made_by for fit in wave)
            with self._stages(" and ".join(sorted(kinds))):
                todo = sorted(missing.values(), key=self._work, reverse=True)
                pool.run([(fits.make, self._arguments(fit)) for fit in todo], self._count, "fits")

    def _arguments(self, fit: Fit) -> tuple[object, ...]:
        learned = learned_from(fit.method, self.pictures)
        held = fits.validation_of(fit.method, self.pictures)
        return fit, learned, self.models, self._store, held

    def measure(self) -> None:
        """Score, threshold and evaluate every method of the tables."""
        todo: list[pool.Job] = []
        for row in self.rows:
            for seed, model, key in zip(row.seeds, row.models, row.figures, strict=True):
                if read_figures(figures_file(self._out, row.method.slug, seed), key) is None:
                    path = model_file(self.models, model)
                    splits = self._splits[row.method.variant]
                    where = (seed, self._device, self._store, splits, self._out)
                    rules = self.pictures.rules
                    first = seed == self._seeds[0]
                    todo.append((scoring.measure, (row.method, path, *where, key, first, rules)))
        if todo:
            with self._stages("scoring and metrics"):
                pool.run(todo, self._count, "scoring")

    @property
    def _store(self) -> Path | None:
        return self.features if self.keeps else None

    def _extract(self, wanted: Sequence[Fit]) -> None:
        """Keep the features of all pictures that are learned from as they are, or scored."""
        if not self.keeps or all(is_done(self.models, fit.key) for fit in wanted):
            return
        jobs: list[pool.Job] = []
        for options, samples in self._wanted.items():
            share = max(1, -(-len(samples) // (4 * self._count)))
            jobs += [
                (feature_store.extract, (samples[start : start + share], options, self.features))
                for start in range(0, len(samples), share)
            ]
        if jobs:
            with self._stages("features"):
                pool.run(jobs, self._count, "features")

    def _pictures_of_stores(self) -> dict[Options, list[Sample]]:
        """Return, by extractor, each picture whose features are wanted more than once, once."""
        plain: dict[Options, set[str]] = {}
        for method in self._methods:
            options = options_of(method, self._device)
            if options is not None:
                trainsets = plain.setdefault(options, set())
                if method.trainset is not None and not method.augment:
                    trainsets.add(method.trainset)
        wanted = {}
        for options, keys in plain.items():
            learned = [
                sample
                for key, trainsets in self.pictures.trainsets.items()
                if key in keys
                for trainset in trainsets
                for sample in trainset.samples
            ]
            every = [*learned, *self.pictures.validation, *self.pictures.test]
            wanted[options] = list({sample.image: sample for sample in every}.values())
        return wanted

    def _fit_on_disk(self, cache_gb: float) -> bool:
        """Tell whether all features that are wanted more than once have room."""
        needed = 0
        for options, samples in self._wanted.items():
            extractor = feature_store.store(options, self.features).extractor
            sizes = {sample.image: sample.size() for sample in samples}
            needed += feature_store.bytes_needed(extractor, sizes)
        return needed <= min(cache_gb * 1e9, shutil.disk_usage(self._out).free / 2)

    def _work(self, fit: Fit) -> int:
        """Return how long a fit takes, roughly: the longest go first."""
        trainsets = learned_from(fit.method, self.pictures)
        pictures = sum(len(trainset.samples) for trainset in trainsets)
        return pictures * (8 if fit.method.augment else 1)

    def _fit_of(self, plan: Sequence[Sequence[Fit]], method: MethodEntry) -> Fit:
        return next(fit for wave in plan for fit in wave if fit.method.name == method.name)
