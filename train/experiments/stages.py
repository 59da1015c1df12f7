"""What each stage of an experiment took, kept over interruptions, and the peak of its memory."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stainless.files import write_json

#: Seconds between two looks at the memory.
INTERVAL = 2.0


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
        """Measure the block as (a part of) the stage `name`; it counts when interrupted too."""
        start, start_cpu = time.perf_counter(), _cpu_seconds()
        stop = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(stop,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
            stage = self.seconds.setdefault(name, {"seconds": 0.0, "cpu_seconds": 0.0})
            stage["seconds"] += time.perf_counter() - start
            stage["cpu_seconds"] += _cpu_seconds() - start_cpu
            write_json(self._path, {"stages": self.seconds, "peak_memory_mb": self.peak_mb})

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(INTERVAL):
            self.peak_mb = max(self.peak_mb, tree_memory() / 1e6)


def _cpu_seconds() -> float:
    """Return the processor time of this process and of its finished children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def tree_memory() -> int:
    """Return the bytes that this process and all below it hold, shared pages counted once."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name of a process, in brackets, may hold blanks.
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
        except (OSError, IndexError, ValueError):
            continue
    tree, wave = set(), {os.getpid()}
    while wave:
        tree |= wave
        wave = {process for process, parent in parents.items() if parent in wave} - tree
    return sum(_proportional(process) for process in tree)


def _proportional(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
