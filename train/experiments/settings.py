"""What every experiment can be told, and how an experiment is found."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stainless import config, plugins
from stainless.errors import InputError

if TYPE_CHECKING:
    from train.experiments.experiment import Experiment

#: The experiment of a file that names none.
DEFAULT = "sim_to_real"


@dataclass
class Common:
    """What every experiment can be told; its own settings extend it.

    Attributes:
        experiment: name of its folder.
        title: of the report.
        out: folder of the results.
        repeats: runs with other seeds.
        seed: of the first repeat.
        bootstrap_rounds: draws of a paired bootstrap.
        workers: processes; 0 for as many as there are processors and memory for.
        device: torch device.
        cache_gb: features of at most so much are kept on disk while the experiment runs.
    """

    experiment: str = DEFAULT
    title: str = "Experiment"
    out: str = "reports/experiment"
    repeats: int = 1
    seed: int = 0
    bootstrap_rounds: int = 1000
    workers: int = 0
    device: str = "cpu"
    cache_gb: float = 12.0

    def validate(self) -> None:
        """Check every value.

        Raises:
            ValueError: one line with key, value and expectation.
        """
        least("repeats", self.repeats, 1)
        least("seed", self.seed, 0)
        least("workers", self.workers, 0)
        least("bootstrap_rounds", self.bootstrap_rounds, 1)
        least("cache_gb", self.cache_gb, 0)


def least(key: str, value: float, limit: float) -> None:
    """Raise ValueError, in one line, for a value below a limit."""
    if value < limit:
        raise ValueError(f"{key}: {value}, expected at least {limit}")


def names() -> dict[str, str]:
    """Return the package of each experiment by its name, without importing any."""
    found = plugins.folders("train.experiments", "settings")
    return {name: module.removesuffix(".settings") for name, module in found.items()}


def package_of(name: Any) -> str:
    """Return the package of an experiment.

    Raises:
        ValueError: there is none of that name.
    """
    known = names()
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"experiment: {name}, expected one of {', '.join(known)}")
    return known[name]


def schema(tree: Mapping[str, Any]) -> type[Common]:
    """Return the dataclass of the settings that a tree holds; nothing heavy is imported for it.

    Raises:
        ValueError: there is no such experiment.
    """
    package = package_of(tree.get("experiment", DEFAULT))
    found: type[Common] = importlib.import_module(f"{package}.settings").Settings
    return found


def load(name: str) -> type[Experiment]:
    """Return the class of an experiment.

    Raises:
        ValueError: there is none of that name.
    """
    found: type[Experiment] = importlib.import_module(f"{package_of(name)}.experiment").EXPERIMENT
    return found


def read_settings(path: Path, overrides: Sequence[tuple[str, str]] = ()) -> Common:
    """Read and check the settings of the experiment that a file, or what it extends, names.

    Raises:
        InputError: one line that names file or option, key, value and what was expected.
    """
    settings = config.read(schema, path, overrides)
    try:
        settings.validate()
    except (ValueError, InputError) as error:
        source = config.origin(type(settings), path, overrides, str(error).split(":")[0])
        raise InputError(config.blamed(source, str(error))) from None
    return settings
