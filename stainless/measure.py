"""What a computation takes: seconds of the wall and of the processor, and memory at its peak.

Memory is as the Linux kernel counts it.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_PROCESS = Path("/proc/self")

#: Seconds between two measurements of a `tree_peak`.
INTERVAL = 2.0


class Watch:
    """Seconds of the wall and of all threads of this process since it was made.

    Args:
        children: count the processors' time of child processes that have ended, too.
    """

    def __init__(self, children: bool = False) -> None:
        self._children = children
        self._wall, self._cpu = time.perf_counter(), self._cpu_seconds()

    @property
    def seconds(self) -> float:
        """Seconds of the wall."""
        return time.perf_counter() - self._wall

    @property
    def cpu_seconds(self) -> float:
        """Seconds of the processor."""
        return self._cpu_seconds() - self._cpu

    def spent(self) -> dict[str, float]:
        """Return both, ready for JSON: "seconds" and "cpu_seconds"."""
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds}

    def _cpu_seconds(self) -> float:
        if not self._children:
            return time.process_time()
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system


def restart_peak() -> int:
    """Forget the peak of this process's memory so far; return what it holds now, in bytes.

    Where the kernel does not allow it, the peak is that since the process began.
    """
    with suppress(OSError):
        (_PROCESS / "clear_refs").write_text("5")
    return _status("VmRSS")


def peak() -> int:
    """Return the most that this process has held since `restart_peak` or its start, in bytes."""
    return _status("VmHWM")


def _status(key: str) -> int:
    for line in (_PROCESS / "status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


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
    """Return the proportional set size of a process in bytes, 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


@contextmanager
def tree_peak(update: Callable[[int], None]) -> Iterator[None]:
    """Give `update` the `tree_memory` every few seconds while the block runs, from a thread."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(INTERVAL):
            update(tree_memory())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def alone(function: Callable[..., T], *arguments: object) -> T:
    """Call a function of a module in a fresh process, so that memory and caches are its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()
