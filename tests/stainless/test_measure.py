"""Time and memory are those of what is measured."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from stainless import measure


def test_a_watch_tells_waiting_from_work() -> None:
    watch = measure.Watch()
    time.sleep(0.05)
    waited = watch.spent()
    assert waited["seconds"] >= 0.05 > waited["cpu_seconds"]
    while watch.cpu_seconds < 0.03:
        sum(range(1000))
    assert watch.seconds >= waited["seconds"] + 0.02


def test_children_count_where_they_are_asked_for() -> None:
    alone, together = measure.Watch(), measure.Watch(children=True)
    work = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", work], check=True)
    assert together.cpu_seconds >= 0.25 > alone.cpu_seconds


def test_the_peak_is_that_since_it_was_restarted() -> None:
    before = measure.restart_peak()
    block = bytearray(40_000_000)
    block[::4096] = b"x" * len(block[::4096])
    assert measure.peak() - before > 35_000_000
    assert measure.tree_memory() > 40_000_000
    del block
    after = measure.restart_peak()
    assert measure.peak() - after < 20_000_000


def test_a_function_alone_has_a_process_of_its_own() -> None:
    assert measure.alone(os.getpid) != os.getpid()
