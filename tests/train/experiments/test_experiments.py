"""Every experiment there is holds to what all must."""

from __future__ import annotations

import pytest
from support.check_experiment import check_experiment

from train.experiments.settings import names


@pytest.mark.parametrize("name", names())
def test_it_holds_to_what_all_must(name: str) -> None:
    check_experiment(name)
