"""The whole experiment, as a user runs it, on tiny sets; and what it does with unusable ones."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import plates
import pytest
from inline import Inline

from stainless.cli import main
from train.experiments import pool
from train.experiments.datasets import read_labelled
from train.experiments.sim_to_real.experiment import SimToReal
from train.experiments.sim_to_real.settings import Baselines, Settings
from train.report.results import VERSION
from train.verdicts.choice import usual_rules

ROOT = Path(__file__).resolve().parents[3]
SCENARIOS = ["Real", "Synth", "Synth_WS", "Synth_WS finetuned", "Melding"]


def command(config: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "stainless.cli", "experiment", "--config", str(config), *options]


def run(config: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(config, *options), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    plates.write_real(folder / "real")
    plates.write_synthetic(folder / "synthetic")
    return folder


@pytest.fixture(scope="module")
def finished(sets: Path) -> Path:
    """The folder of an undisturbed experiment."""
    config = plates.settings(sets, scenarios=SCENARIOS, baselines={"models": []}, repeats=2)
    done = run(config, "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(sets / "report/report.html")
    return sets / "report"


def figures(out: Path) -> dict[str, dict]:
    """Figures by name, without what scoring took, which no two runs share."""
    found = {path.name: json.loads(path.read_text()) for path in (out / "figures").iterdir()}
    for content in found.values():
        assert content.pop("scoring")["cpu_seconds"] >= 0
    return found


def test_every_method_is_in_the_results(finished: Path) -> None:
    results = json.loads((finished / "results.json").read_text())
    assert [method["name"] for method in results["methods"]] == SCENARIOS
    assert results["version"] == VERSION and results["experiment"] == "sim_to_real"
    assert results["own"]["real"]["train"] == 4 and results["own"]["real"]["test"] == 6
    assert results["own"]["synthetic"]["images"]["stained"] == 3
    assert results["classes"] == {"scratch": "defect", "water_stain": "impurity"}
    for method in results["methods"]:
        assert [repeat["seed"] for repeat in method["repeats"]] == [0, 1]
        one, other = (repeat["summary"]["f1"] for repeat in method["repeats"])
        assert method["summary"]["f1"]["mean"] == pytest.approx((one + other) / 2)
        assert method["summary"]["f1"]["spread"] == pytest.approx(abs(one - other) / np.sqrt(2))
        for image in results["images"]:
            assert (finished / method["predictions"] / f"{image['name']}.png").is_file()
    passes = {each["name"]: each["repeats"][0]["learning"] for each in results["methods"]}
    fits = list(dict.fromkeys(row["fit"] for row in passes["Synth_WS finetuned"]))
    assert fits == ["Synth_WS", "Synth_WS finetuned"]
    assert {row["fit"] for row in passes["Melding"]} == {"Melding"}
    assert passes["Real"][0]["values"]["added"] == 64
    assert results["quantities"]["replacements"]["title"] == "Replacements"
    assert results["own"]["memory_map"]["method"] == "Melding"
    assert (finished / results["own"]["memory_map"]["model"]).is_file()
    stages = {stage["name"] for stage in results["stages"]}
    assert stages >= {"features", "fits", "continued fits and meldings"}
    assert results["peak_memory_mb"] > 100


def test_bright_scratches_are_found(finished: Path) -> None:
    results = json.loads((finished / "results.json").read_text())
    real = results["methods"][0]
    assert real["summary"]["image_auroc"]["mean"] > 0.9
    assert real["summary"]["pixel_auroc"]["mean"] > 0.9
    claims = [finding["claim"] for finding in results["findings"]]
    assert len(claims) == len(set(claims)) == 6
    tested = next(f for f in results["findings"] if "water-stain" in f["claim"])
    assert [comparison["second"] for comparison in tested["comparisons"]] == ["Synth_WS"]


def test_nothing_is_left_but_the_results(finished: Path) -> None:
    left = {path.name for path in finished.iterdir()}
    assert left == {
        ".stainless-report.jsonl", "figures", "models", "predictions", "report.html",
        "results.json", "stages.json", "tables",
    }  # fmt: skip


def test_a_second_run_makes_only_what_is_missing(
    finished: Path, sets: Path, inline: Inline
) -> None:
    before = figures(finished)
    (finished / "figures/real.0.json").unlink()
    assert main(["experiment", "--config", str(sets / "experiment.yaml")]) == 0
    assert inline.taken() == ["measure Real"]
    assert figures(finished) == before


def test_killed_and_started_again_it_ends_the_same(finished: Path, sets: Path) -> None:
    config = sets / "experiment.yaml"
    options = ("--out", str(sets / "again"), "--workers", "1")
    process = subprocess.Popen(
        command(config, *options), stderr=subprocess.DEVNULL, start_new_session=True
    )
    limit = time.monotonic() + 300
    models = sets / "again/models"
    while len(list(models.glob("*.safetensors"))) < 2 and time.monotonic() < limit:
        assert process.poll() is None
        time.sleep(0.05)
    # The parent alone: its workers must find out by themselves.
    process.kill()
    process.wait()
    while in_group(process.pid):
        assert time.monotonic() < limit
        time.sleep(0.2)
    assert not (sets / "again/results.json").exists()
    done = run(config, *options)
    assert done.returncode == 0, done.stderr
    assert figures(sets / "again") == figures(finished)
    assert {p.name for p in models.glob("*.safetensors")} == {
        p.name for p in (finished / "models").glob("*.safetensors")
    }


def in_group(group: int) -> list[int]:
    """Return the processes of a group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> Inline:
    """Lets an experiment run its jobs here."""
    jobs = Inline()
    monkeypatch.setattr(pool, "run", jobs)
    return jobs


@pytest.fixture
def refused(inline: Inline, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Returns the one line of a run that bad input stops."""

    def refused(config: Path | None, *options: str) -> str:
        words = ["--config", str(config)] if config is not None else []
        assert main(["experiment", *words, *options]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("stainless: error: ")
        return line.removeprefix("stainless: error: ")

    return refused


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Sets to break, and the settings of an experiment on them; returns the folder."""
    plates.write_real(tmp_path / "real")
    plates.write_synthetic(tmp_path / "synthetic")
    plates.settings(tmp_path, scenarios=["Real"], baselines={"models": []})
    return tmp_path


def test_a_set_without_validation_split(broken: Path, refused: Callable[..., str]) -> None:
    (broken / "real/validation").rename(broken / "elsewhere")
    line = refused(broken / "experiment.yaml")
    assert "has no validation split" in line and "--real.hold_out" in line
    words = ["--config", str(broken / "experiment.yaml"), "--real.hold_out", "0.4"]
    assert main(["experiment", *words]) == 0
    results = json.loads((broken / "report/results.json").read_text())
    counts = (results["own"]["real"]["validation"], results["own"]["real"]["test"])
    # Whole groups of two pictures each.
    assert counts in ((2, 4), (4, 2))


def test_a_set_without_masks(broken: Path, refused: Callable[..., str]) -> None:
    for mask in (broken / "real/cell/ground_truth/defective").iterdir():
        mask.unlink()
    line = refused(broken / "experiment.yaml")
    assert "has no mask" in line and "test/defective/000.png" in line


def test_a_set_without_defects(broken: Path, refused: Callable[..., str]) -> None:
    plates.write_real(broken / "good", defective=False)
    line = refused(broken / "experiment.yaml", "--real.data", str(broken / "good"))
    assert "its test split shows no defect" in line


def test_good_pictures_alone_give_thresholds(broken: Path) -> None:
    validation = broken / "real/validation/cell"
    good = validation / "test/good"
    for split in ("test", "ground_truth"):
        shutil.rmtree(validation / split)
    shutil.rmtree(broken / "real/annotations/validation")
    (broken / "real/cell/groups.csv").unlink()
    for number in range(3):
        plates.write(good / f"{number:03}.png", plates.plate(300 + number))
    samples = read_labelled(broken / "real", "cell", None, 0.0, 0, "--hold_out").validation
    assert len(samples) == 3 and all(sample.is_good for sample in samples)
    assert {kind: rule.name for kind, rule in usual_rules(samples).items()} == {
        "pixel": "false-alarms",
        "picture": "false-alarms",
    }
    assert main(["experiment", "--config", str(broken / "experiment.yaml")]) == 0
    results = json.loads((broken / "report/results.json").read_text())
    (repeat,) = results["methods"][0]["repeats"]
    assert repeat["threshold"] is not None and repeat["picture_threshold"] is not None


def test_a_set_of_unknown_classes(broken: Path, refused: Callable[..., str]) -> None:
    listed = broken / "real/annotations/classes.json"
    listed.write_text(json.dumps({"classes": plates.CLASSES[1:]}))
    line = refused(broken / "experiment.yaml")
    assert "has class 1, which classes.json does not name" in line


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        (["--scenarios", "[Reel]"], r"^--scenarios: Reel, expected some of Real, Synth"),
        (["--baselines.models", "[patchcor]"], r"models: patchcor, expected some of .*padim"),
        (["--baselines.models", "[ganomaly]"], r"ganomaly, expected a method that gives anomaly"),
        (["--detector.size", "1"], r"^--detector\.size: 1, expected at least 2"),
        (["--repeats", "0"], r"^--repeats: 0, expected at least 1"),
        (["--real.data", "nowhere"], r"real\.data: nowhere, expected a dataset"),
        (["--detecter.size", "3"], r"unknown key, did you mean detector"),
        (["--real.category", "plate"], r"has no category 'plate'"),
        (["--synthetic.clean", "cleen", "--scenarios", "[Synth]"], r"has no category 'cleen'"),
        (["--detector.backbone", "resnet"], r"resnet"),
        (["--synthetic.stain", "rust"], r"stain: rust, expected a class of .*: water_stain, scr"),
        (["--device", "cuda:99"], r"device 'cuda:99': torch cannot compute there"),
        (["--real.hold_out", "1.5"], r"hold_out: 1\.5, expected 0 to below 1"),
    ],
)
def test_settings_that_cannot_be_used(
    broken: Path, refused: Callable[..., str], options: list[str], pattern: str
) -> None:
    assert re.search(pattern, refused(broken / "experiment.yaml", *options))
    assert not list((broken / "report").glob("*"))


def test_help_and_keys_need_no_torch() -> None:
    for option in ("--help", "--keys"):
        code = (
            "import sys; from stainless.cli import main\n"
            f"try: main(['experiment', '{option}'])\n"
            "except SystemExit: pass\n"
            "assert not {'torch', 'bpy'} & set(sys.modules), 'heavy'"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "real.data" in done.stdout


def test_a_command_without_a_usable_file(refused: Callable[..., str]) -> None:
    assert "--config: missing" in refused(None)
    assert refused(Path("no.yaml")) == "no.yaml: no such file"
    assert "--keys: invalid choice: 'other'" in refused(None, "--keys", "other")


def test_baselines_are_methods_with_this_experiment_s_settings() -> None:
    settings = Settings(scenarios=["Real"], baselines=Baselines(["patchcore", "padim"]))
    _, patchcore, padim = SimToReal(settings).methods()
    assert patchcore.name == "anomalib PatchCore" and patchcore.detector == "patchcore"
    assert (patchcore.settings.members, patchcore.every) == (2048, 8)
    assert patchcore.note == "learns from one in 8 nominal pictures" and padim.note is None
    assert patchcore.settings.side is padim.settings.side is None
    settings.baselines = Baselines(["supersimplenet"], every=3, steps=7)
    net = SimToReal(settings).methods()[-1]
    assert (net.settings.steps, net.every, net.settings.window) == (7, 3, 128)
