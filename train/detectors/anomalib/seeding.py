"""The global random generators that anomalib draws from, seeded for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let torch's and numpy's global generators start from a seed; put them back afterwards.

    anomalib draws from both: its random projection takes columns with scikit-learn, which without
    a state of its own uses numpy's.
    """
    before = np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002
            yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
