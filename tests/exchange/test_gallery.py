"""The gallery's files: complete, resumable, and nobody else's."""

from __future__ import annotations

import json
import shutil
import zlib

import cv2
import numpy as np
import pytest
from exchange_data import SIZE, annotate, labels, write

from exchange import gallery
from exchange.lights import read_lights
from exchange.metadata import grouped, read_metadata
from exchange.overlay import colours, shaded, tinted_png
from render.lights.ring import VARIANTS
from stainless.dataset import AnnotationClass


@pytest.fixture
def made(root, tmp_path, runs):
    out = tmp_path / "gallery"
    runs("gallery", "--data", root, "--out", out)
    return out


def described(out):
    text = (out / "data.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("const DATA = ").removesuffix(";\n"))


def contents(out):
    return {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_every_picture_is_there_with_its_overlays(root, made):
    data = described(made)
    names = [picture["name"] for picture in data["pictures"]]
    assert len(names) == 10 and len(set(names)) == 10
    assert "stained/validation/bad/010" in names
    for picture in data["pictures"]:
        assert (made / data["root"] / picture["file"]).resolve().is_relative_to(root)
        assert (made / data["root"] / picture["file"]).is_file()
        thumb = cv2.imread(str(made / f"{picture['url']}.jpg"))
        assert thumb.shape[:2] == SIZE and picture["size"] == list(SIZE[::-1])
        for index, *_ in picture["labels"]:
            for kind in ("small", "full"):
                overlay = cv2.imread(str(made / f"{picture['url']}.{index}.{kind}.png"), -1)
                assert overlay.shape == (*SIZE, 4)


def test_overlays_cover_what_is_labelled(root, made):
    classes = cv2.imread(str(root / "annotations/stained/test/bad/002_class.png"), -1)
    instances = cv2.imread(str(root / "annotations/stained/test/bad/002_instance.png"), -1)
    data = described(made)
    picture = next(
        picture for picture in data["pictures"] if picture["name"] == "stained/test/bad/002"
    )
    assert [index for index, *_ in picture["labels"]] == [1, 2, 5]
    for index, count, share in picture["labels"]:
        overlay = cv2.imread(str(made / f"{picture['url']}.{index}.full.png"), -1)
        assert ((overlay[..., 3] > 0) == (classes == index)).all()
        numbers = set(instances[classes == index].tolist()) - {0}
        assert count == len(numbers)
        assert share == pytest.approx((classes == index).mean())
        colour = next(known["colour"] for known in data["classes"] if known["index"] == index)
        blue_green_red = bytes.fromhex(colour[1:])[::-1]
        assert (overlay[classes == index][:, :3] == list(blue_green_red)).all()


def test_thin_labels_stay_visible_on_large_pictures(root, tmp_path, runs):
    size = (1500, 2000)
    name = "stained/test/bad/002"
    classes, instances = np.zeros(size, np.uint8), np.zeros(size, np.uint16)
    classes[700, 100:1900], instances[700, 100:1900] = 2, 1
    write(root / f"{name}.png", np.full(size, 99, np.uint8))
    write(root / "stained/ground_truth/bad/002_mask.png", (classes > 0).astype(np.uint8) * 255)
    annotate(root, name, classes, instances)
    out = tmp_path / "gallery"
    runs("gallery", "--data", root, "--category", "stained", "--out", out)
    overlay = cv2.imread(str(out / f"pictures/{name}.2.small.png"), -1)
    assert overlay.shape == (360, 480, 4)
    columns = (overlay[..., 3] == 255).any(axis=0)
    assert columns[24:456].all() and not columns[:23].any()


def test_the_same_command_goes_on(root, made, runs, monkeypatch):
    before = contents(made)
    seen = []
    write_pictures = gallery._write_pictures

    def counted(sample, name, *more):
        seen.append(name)
        return write_pictures(sample, name, *more)

    monkeypatch.setattr(gallery, "_write_pictures", counted)
    words = ["gallery", "--data", root, "--out", made]
    runs(*words)
    assert not seen and contents(made) == before

    (made / "pictures/stained/train/good/000.jpg").unlink()
    annotate(root, "stained_x2/test/bad/002", *labels(77, True))
    write(root / "clean/test/good/001.png", np.full(SIZE, 30, np.uint8))
    with (made / "progress.jsonl").open("a") as file:
        file.write('["cut short by')
    (made / "pictures/.000.7.partial.jpg").write_bytes(b"")
    runs(*words)
    assert sorted(seen) == [
        "clean/test/good/001",
        "stained/train/good/000",
        "stained_x2/test/bad/002",
    ]
    assert contents(made).keys() == before.keys()
    seen.clear()
    runs(*words)
    assert not seen


def test_a_killed_run_loses_one_picture(root, tmp_path, runs, monkeypatch):
    out = tmp_path / "gallery"
    seen = []
    write_pictures = gallery._write_pictures

    def dies(sample, name, *more):
        seen.append(name)
        if len(seen) == 4:
            raise RuntimeError("killed")
        return write_pictures(sample, name, *more)

    monkeypatch.setattr(gallery, "_write_pictures", dies)
    with pytest.raises(RuntimeError, match="killed"):
        runs("gallery", "--data", root, "--out", out)
    assert not (out / "index.html").exists()
    runs("gallery", "--data", root, "--out", out)
    assert len(seen) == 11 and seen.count(seen[3]) == 2
    assert len(described(out)["pictures"]) == 10


def test_other_categories_leave_and_nothing_else_does(root, made, runs):
    note = made / "note.txt"
    note.write_text("mine")
    runs("gallery", "--data", root, "--out", made, "--category", "clean")
    assert {picture["category"] for picture in described(made)["pictures"]} == {"clean"}
    assert not list((made / "pictures").rglob("stained/**/*.png"))
    assert note.read_text() == "mine"


def test_a_gallery_of_another_dataset_stays(root, made, tmp_path, refused):
    other = tmp_path / "other"
    shutil.copytree(root, other)
    before = contents(made)
    line = refused("gallery", "--data", other, "--out", made)
    assert f"{made}: holds the gallery of ../data, expected a new folder" in line
    assert contents(made) == before


def test_with_other_classes_the_page_goes_first(root, made, runs, monkeypatch):
    def dies(*_):
        raise RuntimeError("killed")

    words = ["gallery", "--data", root, "--out", made, "--white-level", 9]
    monkeypatch.setattr(gallery, "_write_pictures", dies)
    with pytest.raises(RuntimeError, match="killed"):
        runs(*words)
    assert not (made / "index.html").exists(), "a page with pictures of another reading"
    monkeypatch.undo()
    runs(*words)
    assert (made / "index.html").is_file()


@pytest.mark.parametrize("name", ["index.html", "data.js", "grid.js"])
def test_a_page_that_was_changed_stays(root, made, refused, name):
    (made / name).write_text("mine")
    before = contents(made)
    line = refused("gallery", "--data", root, "--out", made)
    assert f"{made / name}: was not written by an earlier `gallery`, or was changed since" in line
    assert contents(made) == before


def test_pictures_that_were_changed_stay(root, made, runs, refused):
    thumb = made / "pictures/stained/train/good/000.jpg"
    thumb.write_bytes(b"mine")
    (made / "pictures/mine.txt").write_text("mine")
    runs("gallery", "--data", root, "--out", made, "--category", "clean")
    assert thumb.read_bytes() == b"mine" and (made / "pictures/mine.txt").is_file()
    assert {path.name for path in (made / "pictures/stained").rglob("*.*")} == {"000.jpg"}
    assert f"{thumb}: was not written" in refused("gallery", "--data", root, "--out", made)


def test_a_folder_above_or_below_a_dataset_is_told_from_it(root, tmp_path, refused):
    out = tmp_path / "gallery"
    shutil.copytree(root, root.parent / "second")
    (root / "contact_sheet.png").write_bytes(b"")
    line = refused("gallery", "--data", root.parent, "--out", tmp_path.parent / "gallery")
    assert f"{root.parent}: is no dataset, expected one of those in it: data, second" in line
    line = refused("gallery", "--data", root / "stained", "--out", out)
    assert f"stained: is a category, expected the dataset that it lies in, {root}" in line
    assert not out.exists() and not (tmp_path.parent / "gallery").exists()


def test_bad_input_is_one_line_and_changes_nothing(root, made, tmp_path, refused):
    def line(data=root, out=made, *more):
        before = contents(out) if out.is_dir() else None
        message = refused("gallery", "--data", data, "--out", out, *more)
        assert before is None or contents(out) == before
        return message

    missing = tmp_path / "nowhere"
    assert f"{missing}: no such folder" in line(missing)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert f"{empty}: has no category" in line(empty)
    assert "has no category 'stain'; there are: clean, stained" in line(
        root, made, "--category", "stain"
    )
    other = tmp_path / "other"
    other.mkdir()
    (other / "progress.jsonl").write_text('{"mine": 1}\n')
    assert f"{other}: holds something else" in line(root, other)
    file = tmp_path / "file"
    file.write_text("mine")
    assert f"{file} is a file" in line(root, file)
    assert "lies in the dataset" in line(root, root / "gallery")
    assert not (root / "gallery").exists()

    broken = root / "annotations/stained/test/bad/002_class.png"
    broken.write_bytes(broken.read_bytes()[:-20])
    index = (made / "index.html").read_bytes()
    assert f"{broken}: is truncated" in refused("gallery", "--data", root, "--out", made)
    assert (made / "index.html").read_bytes() == index
    assert (made / "pictures/stained/test/bad/002.jpg").is_file()


def test_metadata_come_from_the_manifest_line_by_line(root):
    names = ["stained/test/bad/002.png", "validation/stained/test/bad/010.png"]
    metadata = read_metadata(root / "manifest.jsonl", names)
    assert metadata == {
        names[0]: {
            "Note": "not real",
            "Sample": 2,
            "Seed": 7,
            "Metal: reflectance": 0.7,
            "Metal: roughness": 0.3,
            "Impurities: water stain": 3,
            "Light: radiance (mean)": 2.0,
            "Light: height, mm": 150.0,
            "Sensor: exposure": 9.5,
        }
    }
    assert read_metadata(root / "nowhere.jsonl", names) == {}


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        '{"files": 3, "parameters": {}}',
        '{"files": {}}',
        '{"files": {"a": ""}, "parameters": 1}',
    ],
)
def test_strange_manifest_lines_say_nothing(tmp_path, line):
    path = tmp_path / "manifest.jsonl"
    good = {"sample": 4, "files": {"a": ""}, "parameters": {"light": [], "metal": 3}}
    path.write_text(f"{line}\n{json.dumps(good)}\n")
    assert read_metadata(path, ["a"]) == {"a": {"Sample": 4, "Light": 0, "Metal": 3}}


def test_a_part_of_any_kind_is_described_by_all_its_numbers(tmp_path):
    path = tmp_path / "manifest.jsonl"
    side = {"part": 4, "split": "test", "defects": True, "holes_per_cm2": 0.5}
    lamp = {"field_of_view_mm": 20.0, "radiance": [1, 2.0, 6], "tint": None, "at": [[0, 1], [2, 3]]}
    gasket = {"seed": 3, "lamp": lamp, "grain_um": 12.5, "depth_per_radius": 0.1, "mode": "wet"}
    parameters = {
        **{"index": 3, "cycles_seeds": [4, 5], "side": side, "finish": "brushed", "gasket": gasket},
        "defects": {"dent": [{}, {}], "bump": []},
    }
    entry = {"sample": 3, "note": "not real", "files": {"a": ""}, "parameters": parameters}
    path.write_text(json.dumps(entry))
    assert read_metadata(path, ["a"])["a"] == {
        "Note": "not real",
        "Sample": 3,
        "Side: part": 4,
        "Side: defects": "yes",
        "Side: holes, per cm²": 0.5,
        "Finish": "brushed",
        "Gasket: lamp: field of view, mm": 20.0,
        "Gasket: lamp: radiance (mean)": 3.0,
        "Gasket: lamp: at": 2,
        "Gasket: grain, µm": 12.5,
        "Gasket: depth per radius": 0.1,
        "Gasket: mode": "wet",
        "Defects: dent": 2,
        "Defects: bump": 0,
    }


def test_labels_of_a_group_come_together():
    labels = ["Side: part", "Finish", "Metal: a", "Side: lamp: x", "Metal: a", "Sample"]
    expected = ["Finish", "Sample", "Side: part", "Side: lamp: x", "Metal: a"]
    assert grouped(labels) == expected


def test_light_is_told_by_the_dataset(root, refused, tmp_path):
    categories = {f"stained{variant.suffix}": name for name, variant in VARIANTS.items()}
    assert read_lights(root, ["clean", "stained_x2", "other"]) == {
        "clean": "hexagon",
        "stained_x2": "hexagon_x2",
    }
    path = root / "annotations/lights.json"
    for text in ("[]", "{", '{"lights": {"stained": 3}}', '{"lights": 3}'):
        path.write_text(text)
        line = refused("gallery", "--data", root, "--out", tmp_path / "gallery")
        assert f'{path}: expected {{"lights": {{"category": ' in line
    path.unlink()
    # Without a list nobody knows, except of the plates of a time that had no other parts.
    assert read_lights(root, categories) == {}
    for text, expected in (
        ("lights: {variants: [hexagon, hexagon_rot90, hexagon_x2]}", categories),
        ("{part: discs, lights: {variants: [hexagon]}}", {}),
        ("{part: discs}", {}),
        ("lights: 3", {}),
        ("a: [", {}),
    ):
        (root / "scene.yaml").write_text(text)
        assert read_lights(root, categories) == expected, text


def test_colours_tell_kinds_and_classes_apart():
    classes = [
        AnnotationClass(i, f"c{i}", kind) for i, kind in enumerate(["defect", "impurity"] * 5, 1)
    ]
    found = colours(classes)
    assert len(set(found.values())) == 10
    assert colours(classes[:3]) == {i: found[i] for i in (1, 2, 3)}
    many = [AnnotationClass(i, f"c{i}", "defect") for i in range(1, 256)]
    assert len(colours(many)) == 255


def test_overlays_are_light_inside_and_opaque_at_the_border():
    mask = np.zeros((20, 30), bool)
    mask[5:15, 10:] = True
    cover = shaded(mask, 2)
    assert (cover[mask] > 0).all() and not cover[~mask].any()
    assert (cover[5:7, 10:] == 255).all() and (cover[5:15, 10:12] == 255).all()
    # The picture ends there, the stain may not.
    assert (cover[7:13, 12:] < 255).all()
    decoded = cv2.imdecode(np.frombuffer(tinted_png(cover, "#102030"), np.uint8), -1)
    assert (decoded[..., 3] == cover).all() and (decoded[..., :3] == [0x30, 0x20, 0x10]).all()
    assert zlib.crc32(tinted_png(cover, "#102030")) == zlib.crc32(tinted_png(cover, "#102030"))
