"""Names of what is kept depend on all that it was made from, and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import plates
import pytest

from stainless.dataset import read_category
from train.detectors.detector import Trainset
from train.detectors.sequential_patchcore.settings import Settings
from train.experiments import keys
from train.experiments.experiment import MethodEntry, Pictures, learned_from
from train.verdicts import rule
from train.verdicts.choice import USUAL
from train.verdicts.rule import PICTURE, rule_named

METHOD = MethodEntry("Real", "real", "sequential_patchcore", Settings(), "real")


def key(
    method: MethodEntry = METHOD, seed: int = 0, device: str = "cpu", pictures=("a 1",), needs=()
):
    return keys.model_key(method, seed, device, pictures, needs)


def test_a_model_is_named_by_all_that_it_was_made_from() -> None:
    others = [
        key(seed=1),
        key(device="cuda"),
        key(pictures=("a 2",)),
        key(pictures=("a 1", "b 1")),
        key(needs=("0123",)),
        key(replace(METHOD, augment=True)),
        key(replace(METHOD, settings=Settings(size=9))),
        key(replace(METHOD, settings=Settings(epochs=9))),
    ]
    assert len({key(), *others}) == 1 + len(others)
    other = replace(METHOD, name="Other", family="x", note="?", listed=False)
    assert key(other) == key()


def test_melding_depends_on_no_seed_but_those_of_its_sources() -> None:
    melded = replace(METHOD, trainset=None, sources=("Real", "Synth"))
    assert key(melded, 0, pictures=None) == key(melded, 1, pictures=None)
    assert key(melded, pictures=None, needs=("a", "b")) != key(
        melded, pictures=None, needs=("b", "a")
    )


def test_weights_and_libraries_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    with monkeypatch.context() as patch:
        patch.setattr(keys, "version", lambda name: "0" if name == "torch" else "1")
        assert key() != before
    monkeypatch.setattr(keys, "published_weights_hash", lambda features: "other")
    assert key() != before


def test_figures_depend_on_model_pictures_metrics_and_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = read_category(plates.write_real(tmp_path), "cell", "test")
    before = keys.labelled_contents(samples)
    named = keys.figures_key("model", before)
    assert len({named, keys.figures_key("other", before), keys.figures_key("model", "x")}) == 3
    rules = rule.all_rules()
    changed = replace(rule_named("balanced", PICTURE), version=2)
    changes: list[tuple[Any, str, Any]] = [
        (keys, "METRIC_VERSION", "other"),
        (keys, "USUAL", {**USUAL, PICTURE: ("picture-f1", "false-alarms")}),
        (rule, "all_rules", lambda: {**rules, "balanced": changed}),
    ]
    for module, name, value in changes:
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            assert keys.figures_key("model", before) != named
    assert keys.labelled_contents(samples) == before
    for path in (samples[0].image, samples[0].mask, samples[0].annotation):
        assert path is not None
        content = path.read_bytes()
        path.write_bytes(content + b"\0")
        assert keys.labelled_contents(samples) != before
        path.write_bytes(content)


def test_a_digest_depends_on_values_alone() -> None:
    assert keys.digest({"a": 1, "b": [2]}) == keys.digest({"b": [2], "a": 1})
    assert keys.digest({"a": 1, "b": [2]}) != keys.digest({"a": 1, "b": [3]})


def test_a_method_may_learn_from_every_nth_picture(tmp_path: Path) -> None:
    samples = read_category(plates.write_real(tmp_path), "cell", "train")
    pictures = Pictures({"real": [Trainset("cell", samples)]}, [], [])
    (thin,) = learned_from(replace(METHOD, every=3), pictures)
    assert [sample.name for sample in thin.samples] == [samples[0].name, samples[3].name]
    contents = [
        keys.trainset_contents(learned_from(replace(METHOD, every=n), pictures)) for n in (1, 3)
    ]
    assert key(pictures=contents[0]) != key(pictures=contents[1])
    assert learned_from(replace(METHOD, trainset=None), pictures) == []
