"""What every experiment must hold to, whatever it compares: `check_experiment(name)`."""

from __future__ import annotations

import dataclasses
from collections import Counter
from importlib import import_module
from pathlib import Path

from stainless import config
from train.detectors.detector import method as detector_method
from train.experiments.experiment import waves
from train.experiments.settings import load, package_of, read_settings, schema


def check_experiment(name: str) -> None:
    """Check what can be checked of an experiment without any data."""
    kind = schema({"experiment": name})
    kind().validate()
    for key in config.keys(kind):
        assert key.meaning, f"{key.name}: its docstring does not say what it means"
    settings = dataclasses.replace(kind(), experiment=name)
    check_methods(name, settings)
    folder = Path(next(iter(import_module(package_of(name)).__path__)))
    for path in sorted(folder.glob("*.yaml")):
        read = read_settings(path)
        assert read.experiment == name, f"{path}: is of {read.experiment}"
        check_methods(name, read)


def check_methods(name: str, settings: object) -> None:
    """Check the methods that some settings make."""
    experiment = load(name)(settings)
    methods = experiment.methods()
    assert sum(len(wave) for wave in waves(methods)) == len(methods) > 0
    for count in (Counter(m.name for m in methods), Counter(m.slug for m in methods)):
        assert max(count.values()) == 1, count.most_common(1)
    for each in methods:
        known = detector_method(each.detector)
        assert isinstance(each.settings, known.settings) and known.maps
        assert each.family in experiment.families
        assert (each.trainset is None) == bool(each.sources)
        assert not each.sources or known.melds
        assert each.base is None or known.continues
    assert any(each.listed for each in methods)
