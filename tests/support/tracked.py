"""The files of the project, without what is made from it."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: What commands write, and what others wrote.
MADE = {".venv", ".git", "__pycache__", "build", "models", "reports", "gallery", "node_modules"}


def project_files(*endings: str) -> list[Path]:
    """Return the files with one of some endings."""
    found = []
    for folder, inner, names in os.walk(ROOT):
        place = Path(folder)
        inner[:] = sorted(
            name for name in inner if name not in MADE and not name.startswith((".mypy", ".ruff"))
        )
        if place == ROOT / "datasets":
            inner.clear()
        found += [place / name for name in sorted(names) if name.endswith(endings)]
    return found
