"""A small, quick scene, and the command that renders it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from render.scene import Scene, read_scene
from stainless.files import pixel_hash

ROOT = Path(__file__).resolve().parents[2]
SCENES = ROOT / "scenes"
GENERATE = ROOT / "render" / "generate.py"

TINY = Path(__file__).with_name("tiny.yaml")


def scene(**changes: str) -> Scene:
    """Return the tiny scene with changes; `__` in a key stands for a dot."""
    return read_scene(TINY, [(key.replace("__", "."), text) for key, text in changes.items()])


def arguments(output: Path, *more: str, **changes: str) -> list[str]:
    """Return the generator's command line for a tiny dataset."""
    words = ["--config", str(TINY), "--output", str(output)]
    for key, value in changes.items():
        words += [f"--{key.replace('__', '.')}", value]
    return [*words, *more]


def generate(output: Path, *more: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the generator in a process of its own."""
    return run([sys.executable, str(GENERATE), *arguments(output, *more, **changes)])


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command and return its exit code and what it printed."""
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,  # type: ignore[call-overload]
    )


def files(output: Path) -> set[str]:
    """Return all files below a folder, hidden ones included."""
    return {p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file()}


def picture_hashes(output: Path) -> dict[str, str]:
    """Return the hash of every picture's pixels as it is on disk."""
    from render.export import read_png

    names = sorted(name for name in files(output) if name.endswith(".png"))
    return {name: pixel_hash(read_png(output / name)) for name in names}


def manifest(output: Path) -> list[dict]:
    """Return the manifest's entries."""
    text = (output / "manifest.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
