"""The epochs that a training leaves in its model."""

from __future__ import annotations

import pytest

from train.detectors.epochs import history


@pytest.mark.parametrize("wrap", [lambda found: found, lambda found: {"learned": found}])
def test_epochs_are_passes_of_whatever_the_steps_gave(wrap) -> None:
    means = [{"loss": 2.0}, {"loss": float("nan"), "noisy": 0.5}]
    found = history(wrap({"steps": 2, "means": means}))
    assert {key: known.title for key, known in found.quantities.items()} == {
        "loss": "Loss",
        "noisy": "Noisy",
    }
    assert [dict(each.values) for each in found.passes] == [
        {"loss": 2.0},
        {"loss": None, "noisy": 0.5},
    ]


def test_models_of_earlier_versions_remember_no_epochs() -> None:
    assert history({"learned": {"steps": 2, "last": {"loss": 1.0}}}).passes == []
