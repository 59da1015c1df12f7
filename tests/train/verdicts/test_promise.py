"""Random splits of real scores: what theory says of them holds."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import kstest

from stainless.errors import InputError
from train.verdicts import conformal
from train.verdicts.promise import allowed, tried


@pytest.mark.parametrize(("level", "groups"), [(0.05, 80), (0.1, 50), (0.25, 20)])
def test_false_alarms_are_beta_binomial(level, groups):
    rng = np.random.default_rng(groups)
    scores = rng.gamma(2.0, size=(groups, 3)) + rng.gamma(2.0, size=(groups, 1))
    names = np.repeat(np.arange(groups).astype(str), 3)
    kept = tried(scores.ravel(), names, level, splits=400)
    chances = kept.probabilities()
    assert chances.sum() == pytest.approx(1)
    mean = (chances * np.arange(len(chances))).sum() / kept.new
    assert mean == pytest.approx(kept.expected) and kept.expected <= level + 1e-12
    deviation = np.sqrt((chances * (np.arange(len(chances)) / kept.new - mean) ** 2).sum() / 400)
    assert abs(kept.share - kept.expected) < 4 * deviation
    # The whole distribution: its steps, spread evenly, are uniform.
    below = np.concatenate([[0.0], chances.cumsum()])
    spread = below[kept.flagged] + rng.random(400) * chances[kept.flagged]
    assert kstest(spread, "uniform").pvalue > 1e-4
    assert (kept.any_flagged >= kept.flagged).all()


def test_what_is_allowed_agrees_with_the_threshold():
    for count in (19, 20, 38, 39, 99, 100):
        values = np.arange(float(count))
        value = conformal.threshold(values, 0.05)
        assert (values >= value).sum() == allowed(0.05, count) - 1


def test_too_few_groups_say_how_many():
    with pytest.raises(InputError, match="need 20 groups of good pictures; there are 19"):
        tried(np.arange(19.0), np.arange(19), 0.05)


def test_from_the_command_line(tmp_path, capsys):
    from stainless.cli import main

    rows = [
        {"score": float(k % 37), "group": f"g{k}", "defective": k >= 45, "name": str(k)}
        for k in range(50)
    ]
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"per_image": rows}))
    assert main(["promise", str(path), "--guarantee", "0.1", "--splits", "50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "50 random splits of 45 groups: 22 promise 10.00%, 23 are new"
    path.write_text("[]")
    assert main(["promise", str(path)]) == 2
    error = capsys.readouterr().err
    assert "expected metrics.json of stainless evaluate" in error and error.count("\n") == 1
