"""The command as a user types it: tiny plates are rendered, and scored by a model of grooves."""

import csv
import json
from pathlib import Path

import pytest
from support.command_lines import brushed, refused, run

from train.api import Detector

TINY = Path(__file__).parents[2] / "render" / "tiny.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A scene, the settings of a measurement, and a model with a threshold."""
    root = tmp_path_factory.mktemp("pod")
    scene = {
        "extends": str(TINY),
        "samples": 1,
        "test_every": 1,
        "lights": {"variants": ["hexagon"]},
        "impurities": {"water_stain": {"density": 1}},
        "placed": [{"sample": 0, "kind": "dent", "center_mm": [0, 0]}],
    }
    (root / "scene.yaml").write_text(json.dumps(scene))
    settings = {
        "out": str(root / "out"),
        "data": str(root / "data"),
        "scene": str(root / "scene.yaml"),
        "scale": 1.0,
        "kind": "dent",
        "size": "radius_mm",
        "limits": [0.1, 2.5],
        "shared": {"depth_per_radius": 0.05},
        "area_mm": [16, 14],
        "grid": [2, 2],
        "room_mm": 4,
        "batch": 2,
        "plates": 2,
    }
    (root / "pod.yaml").write_text(json.dumps(settings))
    detector = Detector(size=40).fit([brushed(number, 80, 96) for number in range(2)])
    detector.threshold = 1e9
    detector.save(root / "plain.safetensors")
    return root


def command(folder, *more):
    words = ["pod", "--config", folder / "pod.yaml", "--model", folder / "plain.safetensors"]
    return [*words, *more]


def trials(folder):
    with (folder / "out/trials.csv").open() as file:
        return list(csv.DictReader(file))


def test_flaws_are_rendered_scored_and_tabled(folder, capsys):
    code, lines, errors = run(capsys, *command(folder))
    assert code == 0, errors
    assert not [line for line in errors if "warning" in line]
    assert lines[0].split()[:4] == ["Kind", "Detector", "Surroundings", "Light"]
    assert lines[1].startswith("dent") and "0 of 8 hit, expected at least 3" in lines[1]
    assert lines[-2].startswith("8 flaws on 2 plates, 4 renders in 1 batches")
    assert lines[-1] == str(folder / "out/report.html")
    found = trials(folder)
    assert len(found) == 8
    sizes = [float(trial["radius_mm"]) for trial in found]
    assert min(sizes) < 0.3 and max(sizes) > 1.2
    # Sizes that are large show, and the twins are the same plate: small ones change nothing.
    raised = {float(t["radius_mm"]): float(t["score"]) - float(t["score_without"]) for t in found}
    ordered = [raised[size] for size in sorted(raised)]
    assert max(map(abs, ordered[:2])) < 0.2 * max(ordered[-3:])
    assert any(trial["impure_score"] for trial in found)
    assert (folder / "data/batch_00/clean_flawed/test/defective/001.png").is_file()

    # The same again renders and scores nothing; at a threshold of its own the curve is another.
    before = {path: path.stat().st_mtime_ns for path in (folder / "data").rglob("*.png")}
    middle = sorted(float(trial["score"]) for trial in found)[4]
    code, lines, errors = run(capsys, *command(folder, "--threshold", middle))
    assert code == 0, errors
    assert {path: path.stat().st_mtime_ns for path in (folder / "data").rglob("*.png")} == before
    assert trials(folder)[0]["threshold"] == str(middle)
    assert [t["score"] for t in trials(folder)] == [t["score"] for t in found]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--limits", "[2, 1]"], r"--limits: [2.0, 1.0], expected [low, high] with 0 < low < high"),
        (
            ["--limits", "[1, 40]"],
            "expected no radius_mm above the 4 of room_mm",
        ),
        (["--size", "null"], "--size: missing, expected that key of a dent's ranges"),
        (["--room_mm", "9"], "--room_mm: 9.0, expected above 0 and at most the 7 mm of a cell"),
        (["--levels", "{radius_mm: [1]}"], "--levels: radius_mm, expected another key than"),
        (["--levels", "{waves: 3}"], "--levels.waves: 3, expected a list of values"),
        (["--plates", "0"], "--plates: 0, expected at least 1"),
        (["--zones.bright", "10"], "transition: expected transition <= bright"),
        (["--out", "x", "--plate", "3"], "plate: unknown key, did you mean plates?"),
        (["--threshold", "nan"], "--threshold: nan, expected a finite number"),
    ],
)
def test_wrong_settings_are_one_line(folder, capsys, options, line):
    assert line in refused(capsys, *command(folder, *options))


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--kind", "hole"], "placed[0].kind: hole, expected one of bump, dent"),
        (["--size", "diameter"], "placed[0].keys: diameter: unknown key"),
        (["--scene", "scenes/cell.yaml"], "placed: given, expected none in a series"),
    ],
)
def test_what_cannot_be_rendered_is_the_generator_s_line(folder, tmp_path, capfd, options, line):
    from stainless.cli import main

    where = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    assert main([str(word) for word in command(folder, *where, *options)]) == 2
    errors = capfd.readouterr().err.splitlines()
    assert len(errors) == 1 and line in errors[0]
    assert not (tmp_path / "data").exists()


def test_models_that_cannot_be_measured_are_one_line(folder, tmp_path, capsys):
    bare = tmp_path / "bare.safetensors"
    Detector(size=10).fit([brushed(1, 80, 96)]).save(bare)
    config = folder / "pod.yaml"
    line = refused(capsys, "pod", "--config", config, "--model", bare)
    assert "bare.safetensors: has no threshold of pixels" in line
    plain = folder / "plain.safetensors"
    assert "different names" in refused(capsys, "pod", "--config", config, "--model", plain, plain)
    assert "--model: missing" in refused(capsys, "pod", "--config", config)
    assert "--config: missing" in refused(capsys, "pod", "--model", plain)


def test_keys_are_listed(capsys):
    code, lines, _ = run(capsys, "pod", "--keys")
    assert code == 0
    assert any(line.startswith("--limits") for line in lines)
