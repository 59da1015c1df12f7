"""An impurity and a flaw, each added in one place of its own: nothing else changes.

The kinds below `tests/examples` are found as those of the project are, by extending the path of the
package that holds them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from support.check_flaw import check_flaw
from support.check_impurity import check_impurity

import impurities
from render.parts.plate import flaws
from stainless.plugins import folders, modules

EXAMPLES = Path(__file__).with_name("examples")
TINY = Path(__file__).parent / "render" / "tiny.yaml"

#: The generator's commands in one process, with the examples in their place.
SCRIPT = f"""
import os, sys
import impurities
import render.parts.plate.flaws as flaws
impurities.__path__.append({str(EXAMPLES / "impurities")!r})
flaws.__path__.append({str(EXAMPLES / "flaws")!r})
from render.generate import main
scene, out = sys.argv[1:]
for words in (["--keys"], ["--config", scene, "--output", out, "--dry-run"],
              ["--config", scene, "--output", out],
              ["--config", scene, "--output", out + "_sound", "--defects.pit", "null"]):
    assert main(words) == 0
sys.stdout.flush()
os._exit(0)
"""

SCENE = {
    "extends": str(TINY),
    "samples": 2,
    "test_every": 0,
    "series": {
        "category": "line",
        "groups": [
            {"split": "train", "parts": 1},
            {"split": "test", "parts": 1, "defects": True, "impure_sides": 1},
        ],
    },
    "lights": {"variants": ["hexagon"]},
    "impurities": {
        "water_stain": None,
        "smudge": {"centers_mm": [[-2, 0]], "radius_mm": 1.5, "contrast": -0.6},
    },
    "defects": {"pit": {"centers_mm": [[2, 0]], "radius_mm": 1.5, "depth_um": 60}},
}


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The examples beside the kinds that exist."""
    for package, folder in ((impurities, "impurities"), (flaws, "flaws")):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(EXAMPLES / folder)])
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.mark.usefixtures("place")
def test_an_impurity_of_one_folder_is_found_and_keeps_all_promises():
    check_impurity(import_module(folders("impurities", "kind")["smudge"]).KIND)


@pytest.mark.usefixtures("place")
def test_a_flaw_of_one_file_is_found_and_keeps_all_promises():
    check_flaw(import_module(modules("render.parts.plate.flaws")["pit"]).KIND)


def test_both_are_options_planned_rendered_and_labelled(tmp_path):
    scene, out = tmp_path / "scene.yaml", tmp_path / "out"
    scene.write_text(yaml.safe_dump(SCENE))
    command = [sys.executable, "-c", SCRIPT, str(scene), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "--impurities.smudge.contrast" in done.stdout
    assert "--defects.pit.depth_um" in done.stdout

    entries = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    bare, worn = (entry["parameters"] for entry in entries)
    assert bare["impurities"] == bare["defects"] == {}
    assert worn["impurities"]["smudge"][0]["contrast"] == -0.6
    assert worn["defects"]["pit"][0]["depth_um"] == 60
    table = json.loads((out / "annotations" / "classes.json").read_text())["classes"]
    assert [(row["index"], row["name"], row["kind"]) for row in table] == [
        (100, "smudge", "impurity"),
        (200, "pit", "defect"),
    ]

    names = entries[1]["files"]
    labels = next(name for name in names if name.endswith("_class.png"))
    shown = next(name for name in names if name.startswith("line/test/"))
    sound = shown.replace("defective", "good")
    classes, picture, without = (
        cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        for path in (out / labels, out / shown, tmp_path / "out_sound" / sound)
    )
    assert set(np.unique(classes)) == {0, 100, 200}
    smudge, pit = classes == 100, classes == 200
    assert smudge.sum() > 50
    assert pit.sum() > 50
    ground = ~smudge & ~pit
    assert picture[smudge].mean() < 0.7 * picture[ground].mean()
    change = np.abs(picture.astype(float) - without)
    assert change[pit].mean() > 10 * change[ground].mean()
