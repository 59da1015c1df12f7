"""What earlier versions wrote goes on being read: a dataset, its scene and manifest, a model."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stainless.dataset import load_annotation, load_image, load_mask, read_category

ROOT = Path(__file__).parents[1]
OLD = Path(__file__).with_name("first_edition")
DATASET = OLD / "dataset"


def run(*words, cwd):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_dataset_is_read():
    (first, second) = read_category(DATASET, "line", "train")
    assert load_image(first.image).shape == (80, 96, 3)
    assert first.group == second.group
    tests = read_category(DATASET, "line", "validation")
    assert {sample.label for sample in tests} == {"defective"}
    for sample in tests:
        mask, annotation = load_mask(sample), load_annotation(sample)
        defects = [index for index, kind in annotation.names.items() if kind.kind == "defect"]
        np.testing.assert_array_equal(mask, np.isin(annotation.classes, defects))


def test_a_scene_and_a_manifest_are_continued(tmp_path):
    pytest.importorskip("bpy", reason="rendering needs Blender")
    dataset = shutil.copytree(DATASET, tmp_path / "dataset")
    scene = shutil.copy(DATASET / "scene.yaml", tmp_path)
    done = run(ROOT / "render/generate.py", "--config", scene, "--output", dataset, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "render:" not in done.stderr, "a finished sample was rendered again"
    old, new = [
        [json.loads(line) for line in (place / "manifest.jsonl").read_text().splitlines()]
        for place in (DATASET, dataset)
    ]
    assert new == old


def test_the_renderer_still_makes_the_pictures_of_a_manifest(tmp_path):
    pytest.importorskip("bpy", reason="rendering needs Blender")
    dataset = shutil.copytree(DATASET, tmp_path / "dataset")
    entry = json.loads((DATASET / "manifest.jsonl").read_text().splitlines()[0])
    for name in entry["files"]:
        (dataset / name).unlink()
    scene = shutil.copy(DATASET / "scene.yaml", tmp_path)
    done = run(ROOT / "render/generate.py", "--config", scene, "--output", dataset, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = json.loads((dataset / "manifest.jsonl").read_text().splitlines()[0])
    assert again["files"].keys() == entry["files"].keys()
    # Later versions may say more of a sample; what was said stays.
    assert entry["parameters"].items() <= again["parameters"].items()
    labels = {name for name in entry["files"] if not name.startswith("line/")}
    assert labels
    # Radiance is bit for bit the same on one kind of machine only, labels everywhere.
    assert all(again["files"][name] == entry["files"][name] for name in labels)


def test_a_model_scores_as_it_did(tmp_path):
    sys.path.insert(0, str(Path(__file__).parent / "golden"))
    from pictures import write_dataset

    write_dataset(tmp_path / "data")
    model = shutil.copy(OLD / "model.safetensors", tmp_path)
    words = ("-m", "stainless.cli", "score", "--model", model, "data/metal/test/scratch")
    done = run(*words, "--out", "scored", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "scored/verdicts.jsonl").read_text().splitlines()
    found = {Path(line["image"]).stem: line for line in map(json.loads, lines)}
    assert {line["verdict"] for line in found.values()} == {"anomalous"}
    assert found["001"]["score"] == pytest.approx(63.7523, rel=1e-4)
    (region,) = found["001"]["regions"]
    assert region["peak"] == [44, 58]
    assert region["nearest"]["image"] == "train/good/002"
    assert region["nearest"]["box"] == [16, 56, 8, 8]
    words = ("-m", "stainless.cli", "evaluate", "--model", model, "--data", "data")
    done = run(*words, "--category", "metal", "--out", "judged", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "judged/metrics.json").read_text())
    assert metrics["threshold"] == pytest.approx(59.0372, rel=1e-4)
