"""The generator of datasets, in a process of its own, since training never imports Blender."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

GENERATOR = Path(__file__).parents[1] / "render" / "generate.py"


def generate(scene: Path, output: Path, *options: str, stdout: int | None = None) -> str:
    """Run the generator.

    Args:
        scene: the YAML file.
        output: the dataset.
        options: more of its command line.
        stdout: where its output goes, as `subprocess.run` takes it.

    Returns:
        What it wrote to a pipe, if it was given one.

    Raises:
        SystemExit: it refuses, in its own line.
    """
    command = [sys.executable, str(GENERATOR), "--config", str(scene), "--output", str(output)]
    done = subprocess.run([*command, *options], check=False, stdout=stdout, text=True)
    if done.returncode:
        # It has written its own line about what is wrong.
        raise SystemExit(done.returncode)
    return done.stdout or ""


def state(scene: Path, output: Path, *options: str) -> dict[str, Any]:
    """Return in what a dataset differs from a scene ("differs"), and whether it is "complete".

    Raises:
        SystemExit: as `generate`.
    """
    found: dict[str, Any] = json.loads(
        generate(scene, output, *options, "--check", stdout=subprocess.PIPE)
    )
    return found
