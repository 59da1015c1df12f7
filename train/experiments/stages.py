"""What each stage of an experiment took, kept over interruptions, and the peak of its memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stainless.files import write_json
from stainless.measure import Watch, tree_peak


class Stages:
    """Times and memory of an experiment, in a file that a resumed run adds to.

    Args:
        path: the JSON file: "stages" by name with "seconds" of the wall and "cpu_seconds" of all
            processes, and "peak_memory_mb", the most that this process and those below it held
            together (proportional set size, 10^6 bytes).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        known: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        self.seconds: dict[str, dict[str, float]] = known.get("stages", {})
        self.peak_mb: float = known.get("peak_memory_mb", 0.0)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Measure the block as a share of the stage `name`; it counts when interrupted too."""
        watch = Watch(children=True)
        try:
            with tree_peak(self._update):
                yield
        finally:
            stage = self.seconds.setdefault(name, {"seconds": 0.0, "cpu_seconds": 0.0})
            for key, value in watch.spent().items():
                stage[key] += value
            write_json(self._path, {"stages": self.seconds, "peak_memory_mb": self.peak_mb})

    def _update(self, memory: int) -> None:
        self.peak_mb = max(self.peak_mb, memory / 1e6)
