"""Datasets of an experiment: what is rendered already, and what can be used."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from render.scene import read_scene
from stainless import config
from stainless.errors import InputError
from train.experiments.datasets import is_finished
from train.experiments.experiment import Dataset

SCENES = Path(__file__).parents[2] / "render"
SCALE = 0.25


def rendered(root: Path, scene: Path, lines: int) -> Path:
    """Write what the generator leaves of some samples, a further line cut short."""
    root.mkdir()
    known = config.plain(asdict(read_scene(scene, [("scale", str(SCALE))])))
    (root / "scene.yaml").write_text(yaml.safe_dump(known))
    text = "".join(f'{{"sample": {number}, "files": {{}}}}\n' for number in range(lines))
    (root / "manifest.jsonl").write_text(text + '{"sample": ')
    return root


def test_a_dataset_is_finished_when_its_manifest_has_all_samples(tmp_path: Path) -> None:
    root = rendered(tmp_path / "plates", SCENES / "tiny.yaml", 3)

    def finished(samples: int) -> bool:
        dataset = Dataset("real", root, "", SCALE, samples)
        return is_finished(dataset, str(SCENES / "tiny.yaml"))

    assert finished(3) and finished(2) and not finished(4)
    missing = Dataset("real", tmp_path / "missing", "")
    assert not is_finished(missing, str(SCENES / "tiny.yaml"))


def test_a_series_is_finished_when_its_groups_are_written(tmp_path: Path) -> None:
    scene = SCENES / "series.yaml"
    root = rendered(tmp_path / "series", scene, read_scene(scene).samples)
    dataset = Dataset("real", root, "", SCALE)
    assert not is_finished(dataset, str(scene))
    (root / "cell").mkdir()
    (root / "cell/groups.csv").touch()
    assert is_finished(dataset, str(scene))


def test_a_dataset_of_another_scene_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scene = tmp_path / "scene.yaml"
    scene.write_text((SCENES / "tiny.yaml").read_text())
    root = rendered(tmp_path / "plates", scene, 3)
    other = r"but .*plates was rendered from another \(scale is 0\.25 there and 0\.5 here\); exp"
    with pytest.raises(InputError, match=other):
        is_finished(Dataset("real", root, "", 0.5), str(scene))
    known = yaml.safe_load(scene.read_text())
    scene.write_text(json.dumps({**known, "seed": 77}))
    with pytest.raises(InputError, match=r"^real\.scene: .*\(seed is \d+ there and 77 here\)"):
        is_finished(Dataset("real", root, "", SCALE), str(scene))
    (root / "scene.yaml").write_text("a: [")
    with pytest.raises(SystemExit, match="2"):
        is_finished(Dataset("real", root, "", SCALE), str(scene))
    (line,) = capfd.readouterr().err.splitlines()
    assert f"{root / 'scene.yaml'}" in line
