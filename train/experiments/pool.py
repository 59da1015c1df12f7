"""Independent jobs in a few processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from tqdm import tqdm

from stainless.errors import InputError

#: What a process that fits a method to pictures of moderate size holds at most, in bytes.
WORKER_BYTES = 1_500_000_000

Job = tuple[Callable[..., Any], tuple[Any, ...]]


def workers(asked: int) -> int:
    """Return how many processes to use: as asked, or as processors and free memory allow."""
    if asked:
        return asked
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    meminfo = Path("/proc/meminfo")
    for line in meminfo.read_text().splitlines() if meminfo.is_file() else []:
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
    return max(1, min(os.cpu_count() or 1, free // WORKER_BYTES))


def run(jobs: Sequence[Job], count: int, title: str) -> list[Any]:
    """Run jobs and return their results in the order of the jobs.

    Args:
        jobs: functions of a module with their arguments.
        count: processes.
        title: of the progress bar.

    Raises:
        InputError: a signal ended a process.
        Exception: the first that a job raised; those not begun are not run then.
    """
    if not jobs:
        return []
    # Threads of numerical libraries do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        min(count, len(jobs)), context, initializer=_begin, initargs=(os.getpid(),)
    )
    with pool:
        futures = {pool.submit(work, *given): place for place, (work, given) in enumerate(jobs)}
        results: list[Any] = [None] * len(jobs)
        try:
            for future in tqdm(as_completed(futures), title, len(jobs), unit="job", disable=None):
                results[futures[future]] = future.result()
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            # What they were at is saved, or begun again: nobody waits for it.
            for process in multiprocessing.active_children():
                process.terminate()
            if isinstance(error, BrokenProcessPool):
                raise InputError(
                    "a worker was ended by a signal, perhaps for want of memory; the same command "
                    "resumes, with fewer workers if need be"
                ) from None
            raise
    return results


def _begin(parent: int) -> None:
    import signal

    import torch

    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    # An interrupt is the parent's to handle, who ends the jobs.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # One thread each: sums, and with them results, do not depend on the number of processes.
    torch.set_num_threads(1)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: a killed one cannot say so."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
