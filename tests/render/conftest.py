"""Datasets that several tests look at, rendered once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_scenes import generate


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset rendered without disturbance by one process. Read only.

    Three plates, the last of them for testing, under all lights: 18 pictures.
    """
    output = tmp_path_factory.mktemp("datasets") / "whole"
    done = generate(output)
    assert done.returncode == 0, done.stderr
    return output
