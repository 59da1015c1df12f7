"""Scenes of connectors that cannot be: one line each."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections import Counter

import pytest
from tiny_scenes import GENERATE, SCENES

from render.parts.connector.registry import FLAWS
from render.plan import picture_count, plan_sample
from render.scene import read_scene
from stainless.errors import InputError

FULL = SCENES / "connector.yaml"

BAD = [
    (
        "connector.formations",
        "[rows, hexagon]",
        "hexagon, unknown formation, expected one of rows,",
    ),
    ("connector.formations", "[row]", "row, unknown formation, did you mean rows?"),
    ("connector.formations", "[]", "expected at least one"),
    ("connector.size_mm", "[80, 35, 2]", "expected at least 87 mm along x for the holes of the"),
    ("connector.size_mm", "[100, 20, 2]", "expected at least 26 mm along y for the holes of the"),
    ("connector.size_mm", "[100, 35, 0]", "expected 0.2 to 1000 mm"),
    ("connector.bevel_mm", "5", "expected within [0.01, 1.8]"),
    ("connector.label.height_mm", "12", "expected a label"),
    ("connector.label.above_mm", "16", "expected a label within the sheet's 35 mm"),
    ("connector.label.how", "glued", "expected one of embossed, printed"),
    ("connector.label.lines", "[a, b, c, d, e]", "expected at most 4 lines"),
    ("connector.zinc.spangle_mm", "0", "expected within [0.5, 100]"),
    ("connector.softbox.zenith_deg", "90", "expected within [0, 80]"),
    ("connector.flaws.hole_size.larger_factor", "4", "have no more room"),
    ("connector.flaws.hole_size.larger_factor", "0.5", "expected within [1, 10]"),
    (
        "connector.flaws.wrong_formation.formations",
        "[rows]",
        "expected none of connector.formations",
    ),
    ("connector.flaws.wrong_formation.formations", "[stars]", "expected among"),
    ("connector.flaws.dent", "{}", "unknown key"),
    ("series.groups", "[{views: 0}]", "expected null, or 1 and more"),
    ("sensor.curve", "gamma", "expected one of linear, srgb"),
]


@pytest.mark.parametrize(("key", "text", "says"), BAD)
def test_a_bad_value_is_one_line(key, text, says):
    with pytest.raises(InputError) as caught:
        read_scene(FULL, [(key, text)])
    line = str(caught.value)
    assert line.startswith(f"--{key}") or key.rpartition(".")[0] in line
    assert says in line
    assert "\n" not in line


@pytest.mark.parametrize("name", ["label_missing", "label_upside_down"])
def test_a_flaw_of_the_label_asks_for_one(name):
    with pytest.raises(InputError, match=f"connector.flaws.{name}: given, expected null: "):
        read_scene(FULL, [("connector.label", "null"), (f"connector.flaws.{name}", "{}")])


def test_a_label_that_looks_the_same_upside_down():
    keys = [("connector.label.above_mm", "0"), ("connector.flaws.label_upside_down", "{}")]
    with pytest.raises(
        InputError, match="a good part that lies the other way round looks the same"
    ):
        read_scene(FULL, keys)


def test_the_command_says_it_in_one_line_and_writes_nothing(tmp_path):
    words = [
        "--config",
        str(FULL),
        "--output",
        str(tmp_path / "x"),
        "--connector.formations",
        "[o]",
    ]
    done = subprocess.run(
        [sys.executable, str(GENERATE), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--connector.formations: o, unknown formation" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_scene_is_the_sources():
    # Saghir, sections 3 and 4.2: 100 x 35 mm; six turns a side, twelve pictures a good connector.
    scene = read_scene(FULL)
    assert scene.samples == scene.series.count()
    assert scene.connector.size_mm[:2] == (100, 35)
    good = Counter()
    flawed = Counter()
    for index in range(scene.samples):
        sample = plan_sample(scene, index)
        if sample.side.defects:
            (name,) = sample.part.flaws
            flawed[sample.split, name] += len(sample.views)
        else:
            good[sample.split, sample.side.part] += len(sample.views)
    assert set(good.values()) == {12}
    parts = Counter(split for split, _ in good)
    assert (parts["train"], parts["validation"], parts["test"]) == (20, 5, 10)
    usual = {name for name, kind in FLAWS.items() if kind.usual}
    assert {name for _, name in flawed} == usual
    assert min(count for (split, _), count in flawed.items() if split == "test") >= 15
    assert picture_count(scene) == sum(good.values()) + sum(flawed.values())


def test_the_small_scene_has_every_flaw_to_test_and_to_calibrate():
    scene = read_scene(SCENES / "connector_small.yaml")
    shown = Counter()
    for index in range(scene.samples):
        sample = plan_sample(scene, index)
        shown.update((sample.split, name) for name in sample.part.flaws)
    assert len(shown) == 2 * sum(kind.usual for kind in FLAWS.values())


def test_the_plan_of_a_good_part_does_not_depend_on_flaws():
    scene = read_scene(FULL)
    other = read_scene(FULL, [("connector.flaws.cut_corner", "null"), ("connector.twins", "true")])
    assert plan_sample(scene, 3).part == plan_sample(other, 3).part
    fewer = dataclasses.replace(scene, series=None)
    assert plan_sample(fewer, 0).part.flaws == {}
