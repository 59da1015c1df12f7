"""The tiny experiment's folder and report."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_experiment


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """The folder of an experiment that nobody has reported yet."""
    return tiny_experiment.make(tmp_path)


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the experiment, at a path that a URL has to escape."""
    return tiny_experiment.report(tiny_experiment.make(tmp_path_factory.mktemp("a #1 50% report")))
