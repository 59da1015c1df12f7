"""What an experiment is made of: kept features, reasons, stages, learning curves."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import plates
import pytest
import torch

from stainless.dataset import read_category
from train.detectors.detector import Context, Trainset
from train.detectors.history import History, Pass, Quantity
from train.detectors.model_file import Model
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.settings import Settings
from train.experiments.feature_store import FeatureStore, bytes_needed
from train.experiments.fits import history
from train.experiments.gathering import learning, mean_and_spread, mean_curve
from train.experiments.sim_to_real.reasons import RING_PX, contrast, share_of, share_on
from train.experiments.stages import Stages
from train.features import FeatureExtractor
from train.patch_grid import GRID_WIDTH, PatchGrid


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    return plates.write_real(tmp_path / "real")


def test_kept_features_are_those_of_the_picture(cell: Path, tmp_path: Path) -> None:
    extractor = FeatureExtractor()
    sample = read_category(cell, "cell", "train")[0]
    computed = FeatureStore(extractor, None)(sample)
    store = FeatureStore(extractor, tmp_path / "kept")
    assert torch.equal(store(sample), computed)
    (kept,) = (tmp_path / "kept").rglob("*.npy")
    assert torch.equal(store(sample), computed)
    np.save(kept, np.zeros((2, 2, 152), np.float32))
    assert not store(sample).any()
    sample.image.write_bytes(cv2.imencode(".png", plates.plate(999))[1].tobytes())
    assert store(sample).any()
    assert bytes_needed(extractor, {sample.image: (96, 96)}) == computed.numel() * 4


def fitted(cell: Path, **context: object) -> Model:
    store = FeatureStore(FeatureExtractor(), None)
    given = Context(features=store, report=lambda _: None, **context)  # type: ignore[arg-type]
    model = Model.new("sequential_patchcore", Settings(size=40, epochs=2), given)
    model.detector.fit([Trainset("cell", read_category(cell, "cell", "train"))])
    return model


def coreset_of(model: Model) -> Coreset:
    return model.detector.coreset  # type: ignore[attr-defined]


def test_a_shuffled_fit_sees_the_same_pictures_in_another_order(cell: Path) -> None:
    plain, one, again, other = (
        coreset_of(fitted(cell, **how))
        for how in ({}, *({"shuffle": True, "seed": seed} for seed in (1, 1, 2)))
    )
    assert torch.equal(one.members, again.members)
    assert not torch.equal(one.members, other.members)
    assert not torch.equal(one.members, plain.members)
    extractor = FeatureExtractor()
    samples = {sample.name: sample for sample in read_category(cell, "cell", "train")}
    for member in range(len(one)):
        origin = one.origin(member)
        assert origin is not None
        row, column = divmod(origin.position, GRID_WIDTH)
        patch = FeatureStore(extractor, None)(samples[origin.image])[row, column]
        assert torch.equal(patch, one.members[member])


def test_learning_curves_name_their_fits(cell: Path, tmp_path: Path) -> None:
    model, path = fitted(cell), tmp_path / "model.safetensors"
    model.save(path)
    rows = learning(history(path, model.method), ["Real"])
    assert [(row["fit"], row["epoch"]) for row in rows] == [("Real", 1), ("Real", 2)]
    values, event = rows[0]["values"], coreset_of(model).history[1]
    assert values["added"] == 40 and values["d_m"] == pytest.approx(event["separation"])
    model.meld([model], model.settings).save(path)
    assert {row["fit"] for row in learning(history(path, model.method), ["Both"])} == {"Both"}
    assert history(path, "padim") == History()


def test_passes_are_named_by_the_methods_whose_fits_they_are() -> None:
    known = History({"loss": Quantity("Loss")}, [Pass(fit, {"loss": 1.0}) for fit in (0, 0, 1)])

    def named(*lineage: str) -> list[tuple[str, int]]:
        return [(row["fit"], row["epoch"]) for row in learning(known, lineage)]

    assert named("A", "B") == [("A", 1), ("A", 2), ("B", 1)]
    assert named("A") == [("A", 1), ("A", 2), ("A", 1)]
    assert named("A", "B", "C") == [("B", 1), ("B", 2), ("C", 1)]
    assert learning(History(), ["A"]) == []


def test_contrast_by_hand(cell: Path) -> None:
    samples = read_category(cell, "cell", "test")[:1]
    grey = np.full((plates.SIZE, plates.SIZE), 100, np.uint8)
    classes = np.zeros_like(grey)
    classes[40:50, 40:50] = 1
    grey[classes == 1] = 70
    far = np.ones_like(grey, bool)
    far[40 - RING_PX : 50 + RING_PX, 40 - RING_PX : 50 + RING_PX] = False
    grey[far] = 0
    plates.write(samples[0].image, grey)
    plates.annotate(cell, f"cell/{samples[0].name}", classes)
    assert contrast(samples, "water_stain") == pytest.approx(30)
    assert contrast(samples, "fingerprint") is None


def test_members_on_a_class_are_counted(tmp_path: Path) -> None:
    root = plates.write_synthetic(tmp_path)
    samples = read_category(root, "stained", "train")[:1]
    classes = np.zeros((plates.SIZE, plates.SIZE), np.uint8)
    classes[:, :48] = 1
    plates.annotate(root, f"stained/{samples[0].name}", classes)
    coreset = Coreset(8, identity={})
    source = coreset.sources.add("stained", [samples[0].name])
    places = [(source, 0, row * GRID_WIDTH + column) for row in (2, 5) for column in (0, 5, 6, 11)]
    coreset.update(torch.randn(8, 4, generator=torch.Generator().manual_seed(0)), places)
    assert share_of(coreset, "stained") == 1 and share_of(coreset, "cell") == 0
    # Columns 0 and 5 end at pixel 48 of the pitch of 8, columns 6 and 11 begin there or later.
    assert share_on(coreset, samples, "water_stain", PatchGrid(3.5, 8)) == pytest.approx(0.5)
    # A grid that begins on the first pixel reaches half a pitch less far: column 6 is on it, too.
    assert share_on(coreset, samples, "water_stain", PatchGrid(0.0, 8)) == pytest.approx(0.75)


def test_stages_add_up_over_runs(tmp_path: Path) -> None:
    path = tmp_path / "stages.json"
    with Stages(path)("fits"):
        sum(range(10**6))
    first = json.loads(path.read_text())["stages"]["fits"]
    assert first["seconds"] > 0 and first["cpu_seconds"] > 0
    with pytest.raises(KeyboardInterrupt), Stages(path)("fits"):
        sum(range(10**6))
        raise KeyboardInterrupt
    second = json.loads(path.read_text())["stages"]["fits"]
    assert second["seconds"] > first["seconds"]


def test_mean_and_spread() -> None:
    assert mean_and_spread([1.0, 3.0]) == {"mean": 2.0, "spread": pytest.approx(2**0.5)}
    assert mean_and_spread([1.0]) == {"mean": 1.0, "spread": None}
    assert mean_and_spread([1.0, None]) == {"mean": None, "spread": None}
    assert mean_curve([[1.0, None], [3.0, None]]) == [2.0, None]
