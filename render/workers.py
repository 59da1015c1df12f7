"""Several processes that render samples of one dataset.

The parent alone writes the manifest. Each worker is the same command with `--part i/n`; it takes
every n-th of the missing samples and reports over a pipe, one JSON line a picture (null) or a
finished sample (its manifest entry).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stainless.errors import InputError

ENTRY = Path(__file__).with_name("generate.py")


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
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another run is writing to this folder") from None
        yield handle
    finally:
        os.close(handle)


def command(argv: list[str]) -> list[str]:
    """Return the command that starts this program again, in the Blender that runs it now."""
    import bpy

    if getattr(bpy.app, "module", False) or not bpy.app.binary_path:
        return [sys.executable, str(ENTRY), *argv]
    return [bpy.app.binary_path, "-b", "-P", str(ENTRY), "--", *argv]


def run(argv: list[str], count: int, samples: list[int], lock: int) -> Iterator[Any]:
    """Render samples in several processes and yield what they report.

    Args:
        argv: this program's own arguments.
        count: how many processes.
        samples: which samples.
        lock: descriptor for the workers to inherit.

    Raises:
        SystemExit: a worker failed; it has said why.
    """
    processes: list[subprocess.Popen[bytes]] = []
    with selectors.DefaultSelector() as ready, contextlib.ExitStack() as pipes:
        try:
            for part in range(count):
                mine = ",".join(map(str, samples[part::count]))
                reader, writer = os.pipe()
                extra = ["--part", mine, "--report", str(writer), "--workers", str(count)]
                processes.append(
                    subprocess.Popen(
                        command([*argv, *extra]),
                        pass_fds=(writer, lock),
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                    )
                )
                os.close(writer)
                lines = pipes.enter_context(os.fdopen(reader, "rb"))
                ready.register(lines, selectors.EVENT_READ, processes[-1])
            while ready.get_map():
                for key, _ in ready.select():
                    # One line a picture at most, and the worker flushes each: reading one per
                    # wake-up would leave lines in the buffer, so read what there is, line by line.
                    line = key.fileobj.readline()  # type: ignore[union-attr]
                    if line.endswith(b"\n"):
                        yield json.loads(line)
                        continue
                    ready.unregister(key.fileobj)
                    code = key.data.wait()
                    if code:
                        raise SystemExit(code if code > 0 else 128 - code)
        finally:
            for process in processes:
                process.kill()
            for process in processes:
                process.wait()


def die_with_parent() -> None:
    """Make a worker end with the process that started it, even one that is killed (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def report(handle: int, event: Any) -> None:
    """Send one event to the parent."""
    data = json.dumps(event).encode() + b"\n"
    while data:
        data = data[os.write(handle, data) :]
