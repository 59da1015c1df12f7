"""The dataset that all exports are tested with, and the command line that makes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import exchange_data
import pytest

from stainless.cli import main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset as the renderer lays it out."""
    return exchange_data.make(tmp_path / "data")


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command line that must end with 2 and one line; returns the line."""

    def run(*words: object) -> str:
        capsys.readouterr()
        assert main([str(word) for word in words]) == 2
        line = capsys.readouterr().err
        assert line.startswith("stainless: error: ") and line.count("\n") == 1
        return line

    return run


@pytest.fixture
def runs(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command line that must succeed; returns what it prints."""

    def run(*words: object) -> str:
        assert main([str(word) for word in words]) == 0
        return capsys.readouterr().out

    return run
