"""An inspection series from the command line to what training reads."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tiny_scenes import GENERATE, files, manifest, picture_hashes, run

from render import layout
from render.camera import picture_shape, pixel_to_plane
from render.export import read_png
from render.labels import class_indices
from render.parts.plate.defects import rasterize
from render.parts.plate.expose import plate_region
from render.parts.plate.maps import with_diffuse
from render.parts.plate.part import PART
from render.plan import plan_sample
from render.scene import read_scene
from render.series import Group, Series, side_of
from stainless.dataset import load_annotation, load_image, load_mask, read_category
from stainless.dataset.layouts import LAYOUTS, annotation_file
from stainless.errors import InputError

MVTEC = LAYOUTS["mvtec"]
CONFIG = Path(__file__).with_name("series.yaml")


def command(output: Path, *more: str) -> list[str]:
    import sys

    return [sys.executable, str(GENERATE), "--config", str(CONFIG), "--output", str(output), *more]


@pytest.fixture(scope="module")
def series(tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("series") / "line"
    done = run(command(output))
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="module")
def scene():
    return read_scene(CONFIG)


def test_sides_of_parts_follow_the_groups():
    groups = [Group("train", 2, 2), Group("test", 1), Group("test", 2, 2, True, 1)]
    sides = [side_of(Series(groups=groups), i) for i in range(9)]
    assert [s.part for s in sides] == [0, 0, 1, 1, 2, 3, 3, 4, 4]
    assert [s.side for s in sides] == [0, 1, 0, 1, 0, 0, 1, 0, 1]
    assert [s.split for s in sides] == ["train"] * 4 + ["test"] * 5
    assert [s.defects for s in sides] == [False] * 5 + [True] * 4
    assert [s.impurities for s in sides] == [False] * 5 + [True, False, True, False]
    with pytest.raises(IndexError):
        side_of(Series(groups=groups), 9)


def test_the_layout_is_mvtecs_with_a_validation_tree_of_its_own(series):
    names = files(series)
    pictures = {n for n in names if n.endswith(".png") and not n.startswith("annotations/")}
    folders = {Path(n).parent.as_posix() for n in pictures} - {"."}
    assert "line/train/good" in folders
    assert {"line/test/defective", "line/ground_truth/defective"} <= folders
    assert {"validation/line/test/defective", "validation/line/ground_truth/defective"} <= folders
    assert not any("good" in n for n in pictures if "ground_truth" in n)
    for name in pictures:
        if "/good/" in name or ("/defective/" in name and "ground_truth" not in name):
            assert f"annotations/{name[:-4]}_class.png" in names
    assert all(entry["note"] == "rendered for a test" for entry in manifest(series))


def test_ground_truth_is_the_visible_defects_at_pixel_centres(series, scene):
    shape = picture_shape(scene.camera, scene.scale)
    hidden = 0
    for index in range(1, 5):
        sample = plan_sample(scene, index)
        for number, view in enumerate(sample.views):
            marks = rasterize(sample.part.defects, pixel_to_plane(view, shape), shape).mask
            marks &= plate_region(scene, view, shape)
            stem = layout.stem(scene, index, number)
            truth = read_png(series / MVTEC.truth("line", sample.split, "defective", stem, 0))
            seen = np.zeros(shape, bool) if truth is None else truth == 255
            assert truth is None or set(np.unique(truth)) <= {0, 255}
            covered = marks & ~seen
            if sample.part.impurities:
                where = "line", sample.split, "good" if truth is None else "defective", stem
                classes = read_png(series / annotation_file(MVTEC.picture(*where), "class"))
                assert (classes[covered] == class_indices(PART)["sticker"]).all()
                hidden += covered.sum()
            else:
                assert not covered.any()
            assert not (seen & ~marks).any()
    assert hidden > 0, "no sticker hides a defect: the scene does not try it"


def test_what_is_off_the_plate_is_black_and_unlabelled(series, scene):
    shape = picture_shape(scene.camera, scene.scale)
    sample = plan_sample(scene, 0)
    off = ~plate_region(scene, sample.views[0], shape)
    picture = read_png(series / MVTEC.picture("line", "train", "good", "000_00"))
    assert off.mean() > 0.02
    assert (picture[off] == 0).all()
    assert (picture[~off] > 0).mean() > 0.99


def test_good_parts_carry_nothing_and_second_sides_no_impurities(scene):
    good, impure, pure = (plan_sample(scene, i).part for i in (0, 1, 2))
    assert not good.impurities
    assert not good.defects
    assert impure.impurities
    assert impure.defects
    assert not pure.impurities
    assert pure.defects
    assert {kind for kind, found in pure.defects.items() if found} == {"scratch", "bump", "dent"}


def test_a_sticker_is_diffuse_and_raised(scene):
    from render.parts.plate.maps import normal_map

    sample = plan_sample(scene, 1)
    plate = sample.part
    shape = picture_shape(scene.camera, scene.scale)
    found = 0
    for view in sample.views:
        plain = normal_map(scene, plate, view, shape)
        raised, diffuse = with_diffuse(plate, plain)
        if diffuse is None:
            continue
        found += 1
        share = diffuse.pixels[..., 0]
        assert share.max() <= 1
        assert np.array_equal(raised.pixels[share == 0], plain.pixels[share == 0])
        assert (raised.pixels[share > 0.4] != plain.pixels[share > 0.4]).any()
        assert 0.02 < diffuse.pixels[..., 1][share > 0.4].mean() < 1
    assert found


def test_training_reads_it(series):
    for part, kinds in (("train", {"good"}), ("validation", None), ("test", None)):
        samples = read_category(series, "line", part)
        assert kinds is None or {sample.label for sample in samples} == kinds
        for sample in samples:
            assert load_image(sample.image).shape == (80, 96, 3)
            mask = load_mask(sample)
            assert mask.any() == (sample.label == "defective")
            annotation = load_annotation(sample)
            kinds_of = np.array([0] * 256)
            for index, known in annotation.names.items():
                kinds_of[index] = known.kind == "defect"
            assert np.array_equal(mask, kinds_of[annotation.classes] == 1)
    groups = {sample.group for sample in read_category(series, "line", "test")}
    assert groups == {"2"}


def test_groups_tell_the_part_of_each_picture(series):
    with (series / "line" / "groups.csv").open() as file:
        rows = {row["image"]: row["part_group"] for row in csv.DictReader(file)}
    assert rows["train/good/000_00.png"] == "0"
    assert rows["../validation/line/test/defective/001_00.png"] == "1"
    assert set(rows.values()) == {"0", "1", "2"}
    assert all((series / "line" / name).exists() for name in rows)


def test_a_second_run_finds_all_done_and_workers_change_nothing(series, tmp_path):
    before = picture_hashes(series)
    again = run(command(series))
    assert again.returncode == 0, again.stderr
    assert picture_hashes(series) == before
    twice = run(command(tmp_path / "two", "--workers", "2"))
    assert twice.returncode == 0, twice.stderr
    assert picture_hashes(tmp_path / "two") == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("samples", "6"), "samples: 6, expected at most the 5 sides"),
        (("test_every", "2"), "test_every: 2, expected 0"),
        (("series", "null"), "defects.bump: given, expected null"),
        (("series.border_mm", "-1"), "series.border_mm: -1.0, expected 0 to 1000"),
        (("series.category", "a/b"), "series.category: 'a/b', expected a plain name"),
        (("series.groups", "[]"), "series.groups: [], expected at least one"),
        (("series.groups", "[{parts: 5, defects: true}]"), "series.groups[0].defects: true"),
        (("series.groups", "[{parts: 5, impure_sides: 2}]"), "impure_sides: 2, expected 0 to"),
        (("defects.scratch.per_plate", "[3, 1]"), "defects.scratch.per_plate"),
    ],
)
def test_a_bad_series_is_one_line(change, says):
    with pytest.raises(InputError) as caught:
        read_scene(CONFIG, [change])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lesser_key_alone_makes_no_series():
    tiny = CONFIG.with_name("tiny.yaml")
    with pytest.raises(InputError) as caught:
        read_scene(tiny, [("series.border_mm", "2")])
    expected = f"--series.border_mm: {tiny} has no series, expected --series.groups as well"
    assert str(caught.value) == expected
    groups = "series.groups", "[{parts: 3}]"
    scene = read_scene(tiny, [("series.border_mm", "2"), groups, ("test_every", "0")])
    assert scene.series.border_mm == 2.0
    assert read_scene(CONFIG, [("series.border_mm", "2")]).series.border_mm == 2.0


def test_stickers_on_twins_need_both_rendered():
    tiny = CONFIG.with_name("tiny.yaml")
    with pytest.raises(InputError, match="twins: ratio, expected render: a sticker"):
        read_scene(tiny, [("impurities.sticker", "{}")])
    assert read_scene(tiny, [("impurities.sticker", "{}"), ("twins", "render")])


def test_the_preview_shows_a_defective_and_impure_side(tmp_path):
    done = run(command(tmp_path / "p", "--preview"))
    assert done.returncode == 0, done.stderr
    assert read_png(tmp_path / "p" / "preview.png").shape[2] == 3
    planned = run(command(tmp_path / "p", "--dry-run"))
    assert "5 samples, 10 pictures" in planned.stdout
    assert len(json.loads((tmp_path / "p" / "plan.json").read_text())["samples"]) == 5
