"""Jobs in processes of their own."""

from __future__ import annotations

import os
import signal

import pytest

from stainless.errors import InputError
from train.experiments import pool


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_is_told_in_one_line() -> None:
    with pytest.raises(InputError, match="ended by a signal, perhaps for want of memory"):
        pool.run([(killed, ())], 1, "jobs")


def test_results_are_in_the_order_of_the_jobs() -> None:
    assert pool.run([(abs, (-3,)), (abs, (2,))], 2, "jobs") == [3, 2]
