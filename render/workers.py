"""Several processes that render samples of one dataset.

The parent alone writes the manifest. Each worker is the same command with `--shard 0,2,4`, the
samples it renders; it reports over a pipe, one JSON line a picture (null) or a finished sample (its
manifest entry), or the error that stops it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from render.cycles.blender import restart
from stainless.errors import InputError

ENTRY = Path(__file__).with_name("generate.py")

#: How often a folder that another run holds is asked for.
PATIENCE = 20


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[int]:
    """Hold a folder against other runs; yields the descriptor that holds it.

    The lock lives as long as any process that inherits the descriptor, and leaves no file behind.

    Raises:
        InputError: another run holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        for patience in reversed(range(PATIENCE)):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not patience:
                    raise InputError(f"{folder}: another run is writing to this folder") from None
                # The workers of a run that was killed need a moment to notice.
                time.sleep(0.1)
        yield handle
    finally:
        os.close(handle)


def run(argv: list[str], count: int, samples: list[int], lock: int) -> Iterator[Any]:
    """Render samples in several processes and yield what they report.

    Args:
        argv: this program's own arguments.
        count: how many processes.
        samples: which samples.
        lock: descriptor for the workers to inherit.

    Raises:
        InputError: what stopped a worker, a signal included.
        RuntimeError: a worker failed by a defect of ours; it has printed its traceback.
    """
    processes: list[subprocess.Popen[bytes]] = []
    with selectors.DefaultSelector() as ready, contextlib.ExitStack() as pipes:
        try:
            for shard in range(count):
                mine = ",".join(map(str, samples[shard::count]))
                reader, writer = os.pipe()
                more = ["--shard", mine, "--report", str(writer), "--workers", str(count)]
                processes.append(
                    subprocess.Popen(
                        restart(ENTRY, [*argv, *more]),
                        pass_fds=(writer, lock),
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                    )
                )
                os.close(writer)
                pipes.callback(os.close, reader)
                ready.register(reader, selectors.EVENT_READ, processes[-1])
            # Lines that a worker has begun to report, by descriptor.
            begun: dict[int, bytes] = {}
            while ready.get_map():
                for key, _ in ready.select():
                    data = os.read(key.fd, 1 << 16)
                    *lines, begun[key.fd] = (begun.get(key.fd, b"") + data).split(b"\n")
                    for line in lines:
                        yield _reported(json.loads(line))
                    if not data:
                        ready.unregister(key.fd)
                        _check_end(key.data.wait())
        finally:
            for process in processes:
                process.kill()
            for process in processes:
                process.wait()


def _reported(event: Any) -> Any:
    """Return what a worker reports, unless it is an error."""
    if isinstance(event, dict) and "error" in event:
        raise InputError(event["error"])
    return event


def _check_end(code: int) -> None:
    """Raise what a worker's exit code says."""
    if code < 0:
        raise InputError(
            f"a worker was ended by {signal.Signals(-code).name}, perhaps for want of memory; the "
            "same command resumes"
        )
    if code:
        raise RuntimeError(f"a worker failed with exit code {code}")


def die_with_parent(report: int) -> None:
    """Make a worker end with the process that started it, even one that is killed (Linux).

    Args:
        report: descriptor of the pipe to the parent.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    # A parent that was killed before that line sends no signal, but nobody reads its pipe.
    poll = select.poll()
    poll.register(report, 0)
    if poll.poll(0):
        os._exit(1)


def report(handle: int, event: Any) -> None:
    """Send one event to the parent."""
    data = json.dumps(event).encode() + b"\n"
    while data:
        data = data[os.write(handle, data) :]
