"""Small, quick variations of the product's own scenes, and the command that renders them."""

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

#: A picture of 96 x 80 pixels that shows 20 mm of the plate: some stains, little work.
TINY = {
    "scale": "1",
    "camera.resolution_px": "[96, 80]",
    "camera.field_of_view_mm": "20",
    "texture.texel_um": "100",
    "rendering.samples": "2",
    "rendering.samples_undenoised": "2",
}


def overrides(**changes: str) -> dict[str, str]:
    """Return the tiny scene's overrides with changes; `__` in a name stands for a dot."""
    return {**TINY, **{key.replace("__", "."): value for key, value in changes.items()}}


def scene(**changes: str) -> Scene:
    """Return the demonstration scene made tiny."""
    return read_scene(SCENES / "plate_small.yaml", list(overrides(**changes).items()))


def arguments(output: Path, *more: str, **changes: str) -> list[str]:
    """Return the generator's command line for a tiny dataset."""
    words = ["--config", str(SCENES / "plate_small.yaml"), "--output", str(output)]
    for key, value in overrides(**changes).items():
        words += [f"--{key}", value]
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
