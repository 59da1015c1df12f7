"""The global random generators that libraries draw from, seeded for a while."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let the global generators of torch, numpy and Python start from a seed; put them back after.

    anomalib draws from torch's and numpy's: its random projection takes columns with scikit-learn,
    which without a state of its own uses numpy's.
    """
    before, python = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        with torch.random.fork_rng():
            reseed(seed)
            yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
        random.setstate(python)


def reseed(seed: int) -> None:
    """Start the global generators from a seed; only within `seeded`."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)
