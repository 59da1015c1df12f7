"""A rendered dataset on disk: its layout, its labels, its manifest, and who can read it."""

import json
import re
import warnings

import cv2
import numpy as np
import pytest
import yaml
from tiny_scenes import files, generate, manifest, picture_hashes, scene

from impurities.registry import IMPURITIES
from render.camera import picture_shape, pixel_to_plane
from render.labels import class_indices, class_table
from render.layout import categories
from render.parts.plate.part import PART
from render.parts.plate.scene import PlateScene
from render.plan import plan_sample
from render.scene import read_scene
from stainless.dataset import list_categories, load_annotation, load_image, load_mask, read_category
from stainless.homography import project

CATEGORIES = ["clean", "clean_rot90", "clean_x2", "stained", "stained_rot90", "stained_x2"]
SPLITS = {0: "train", 1: "train", 2: "test"}


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_the_layout_is_this_and_nothing_else(dataset):
    expected = {"manifest.jsonl", "scene.yaml", "contact_sheet.png"}
    expected |= {"annotations/classes.json", "annotations/lights.json"}
    for category in CATEGORIES:
        for index, split in SPLITS.items():
            expected.add(f"{category}/{split}/good/{index:03d}.png")
            for what in ("class", "instance", "mask"):
                place = f"annotations/{category}/{split}/good"
                expected.add(f"{place}/{index:03d}_{what}.png")
    assert files(dataset) == expected
    assert sorted(categories(scene())) == CATEGORIES


def test_pictures_are_grey_eight_bits_and_of_the_scenes_size(dataset):
    for name in files(dataset):
        if name.split("/")[0] in CATEGORIES:
            pixels = read(dataset / name)
            assert (pixels.dtype, pixels.shape) == (np.uint8, (80, 96))
            assert pixels.std() > 5


def test_labels_have_their_types_and_agree(dataset):
    for category in CATEGORIES:
        for index, split in SPLITS.items():
            stem = f"{dataset}/annotations/{category}/{split}/good/{index:03d}"
            classes, instances, mask = (
                read(f"{stem}_{w}.png") for w in ("class", "instance", "mask")
            )
            assert (classes.dtype, instances.dtype, mask.dtype) == (np.uint8, np.uint16, np.uint8)
            assert classes.shape == instances.shape == mask.shape == (80, 96)
            stained = category.startswith("stained")
            assert set(np.unique(mask)) == ({0, 255} if stained else {0})
            np.testing.assert_array_equal(mask > 0, classes > 0)
            np.testing.assert_array_equal(mask > 0, instances > 0)


def test_the_classes_are_those_of_the_scene_with_indices_of_their_own(dataset):
    stain = {"index": 1, "name": "water_stain", "kind": "impurity"}
    assert json.loads((dataset / "annotations/classes.json").read_text()) == {"classes": [stain]}
    lights = json.loads((dataset / "annotations/lights.json").read_text())["lights"]
    assert len(lights) == 6
    assert lights["clean"] == "hexagon" and lights["stained_rot90"] == "hexagon_rot90"
    both = {"series__groups": "[{parts: 3}]", "test_every": "0", "defects__dent": "{}"}
    table = class_table(scene(**both))["classes"]
    assert table == [stain, {"index": 102, "name": "dent", "kind": "defect"}]
    assert class_indices(PART)["dent"] == 102


def test_labels_are_the_stains_at_the_pixel_centres(dataset):
    drawn = scene()
    rows, columns = picture_shape(drawn.camera, drawn.scale)
    y, x = np.mgrid[:rows, :columns] + 0.5
    for index, split in SPLITS.items():
        sample = plan_sample(drawn, index)
        points = project(pixel_to_plane(sample.views[0], (rows, columns)), x, y)
        stains = sample.part.impurities["water_stain"]
        field = IMPURITIES["water_stain"].evaluate(stains, *points, sample.part.metal.reflectance)
        for category in ("stained", "stained_rot90", "stained_x2"):
            stem = f"{dataset}/annotations/{category}/{split}/good/{index:03d}"
            np.testing.assert_array_equal(read(f"{stem}_instance.png"), field.instance)
            np.testing.assert_array_equal(read(f"{stem}_mask.png"), np.uint8(255) * field.mask)


def test_the_manifest_has_a_line_a_sample_with_the_plan_and_true_hashes(dataset):
    entries = manifest(dataset)
    assert [entry["sample"] for entry in entries] == [0, 1, 2]
    drawn = scene()
    written = {}
    for entry in entries:
        plain = json.loads(json.dumps(plan_sample(drawn, entry["sample"]).to_json()))
        assert entry["parameters"] == plain
        assert entry["seed"] == drawn.seed
        assert {"stainless", "blender", "denoiser", "machine"} == set(entry["renderer"])
        assert len(entry["files"]) == 6 * 4
        written |= entry["files"]
    on_disk = picture_hashes(dataset)
    on_disk.pop("contact_sheet.png")
    assert written == on_disk
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in written.values())


def test_the_scene_beside_the_dataset_is_the_scene_that_was_rendered(dataset):
    assert read_scene(dataset / "scene.yaml") == scene()
    assert set(yaml.safe_load((dataset / "scene.yaml").read_text())) == set(
        PlateScene.__dataclass_fields__
    )


def test_training_reads_it(dataset):
    assert list_categories(dataset) == CATEGORIES
    for category in CATEGORIES:
        train = read_category(dataset, category, "train")
        test = read_category(dataset, category, "test")
        assert [sample.name for sample in train] == ["train/good/000", "train/good/001"]
        assert [sample.name for sample in test] == ["test/good/002"]
        for sample in (*train, *test):
            assert sample.is_good, "impurities are nominal"
            assert load_image(sample.image).shape == (80, 96, 3)
            assert not load_mask(sample).any()
            annotation = load_annotation(sample)
            known = {k.name: k.kind for k in annotation.names.values()}
            assert known["water_stain"] == "impurity"
            shown = {annotation.names[i].name for i in np.unique(annotation.classes) if i}
            assert shown == ({"water_stain"} if category.startswith("stained") else set())


@pytest.mark.parametrize("category", ["clean", "stained_rot90"])
def test_anomalib_reads_it(dataset, category):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from anomalib.data import MVTecAD

        data = MVTecAD(
            dataset,
            category,
            train_batch_size=2,
            eval_batch_size=1,
            num_workers=0,
            test_split_mode="from_dir",
            val_split_mode="same_as_test",
        )
        data.prepare_data()
        data.setup()
        batch = next(iter(data.train_dataloader()))
        tested = list(data.test_dataloader())
    assert len(data.train_data) == 2
    assert batch.image.shape == (2, 3, 80, 96)
    assert [item.image_path[0].split("/")[-4:] for item in tested] == [
        [category, "test", "good", "002.png"]
    ]
    assert not any(item.gt_label.any() for item in tested)
    names = {path.split("/")[-1] for path in batch.image_path}
    assert names == {"000.png", "001.png"}


def test_a_grid_of_views_names_each_picture_and_16_bits_are_kept(tmp_path):
    done = generate(
        tmp_path / "grid",
        samples="1",
        camera__views="[2, 1]",
        sensor__bits="12",
        lights__variants="[hexagon_x2]",
        impurities__water_stain="null",
        test_every="0",
    )
    assert done.returncode == 0, done.stderr
    pictures = sorted(n for n in files(tmp_path / "grid") if n.startswith("clean_x2/"))
    assert pictures == [f"clean_x2/train/good/000_{view:02d}.png" for view in range(2)]
    pixels = [read(tmp_path / "grid" / name) for name in pictures]
    assert all(one.dtype == np.uint16 for one in pixels)
    assert (pixels[0] != pixels[1]).mean() > 0.9
    assert [s.name for s in read_category(tmp_path / "grid", "clean_x2", "train")] == [
        "train/good/000_00",
        "train/good/000_01",
    ]


def test_a_preview_and_a_plan_do_not_stand_in_the_way_of_the_dataset(tmp_path):
    output = tmp_path / "shown"
    few = {"samples": "1", "test_every": "0", "lights__variants": "[hexagon]"}
    planned = generate(output, "--dry-run", **few)
    assert planned.returncode == 0, planned.stderr
    assert "1 sample, 2 pictures" in planned.stdout
    shown = generate(output, "--preview", **few)
    assert shown.returncode == 0, shown.stderr
    assert files(output) == {"plan.json", "preview.png", ".stainless-render.jsonl"}
    assert read(output / "preview.png").shape[2] == 3
    done = generate(output, **few)
    assert done.returncode == 0, done.stderr
    assert files(output) >= {
        "plan.json",
        "preview.png",
        "manifest.jsonl",
        "stained/train/good/000.png",
    }
    plan = json.loads((output / "plan.json").read_text())
    assert [sample["index"] for sample in plan["samples"]] == [0]
    assert generate(output, "--dry-run", **few).returncode == 0


def test_a_plan_or_a_preview_of_somebody_else_stays(tmp_path):
    for name, mode in (("plan.json", "--dry-run"), ("preview.png", "--preview")):
        (tmp_path / name).write_text("mine")
        done = generate(tmp_path, mode)
        assert done.returncode == 2 and done.stderr.count("\n") == 1
        assert f"{tmp_path / name}: was not written by an earlier `render`" in done.stderr
        assert (tmp_path / name).read_text() == "mine"


def test_the_contact_sheet_has_a_row_for_every_light(dataset):
    sheet = read(dataset / "contact_sheet.png")
    height, width, channels = sheet.shape
    assert channels == 3
    assert (width - 34, (height - 34) % 3) == (3 * 488, 0)
    # Twins differ at stains only, and the overlay is the one tile with colour.
    colourful = (sheet.max(axis=2).astype(int) - sheet.min(axis=2) > 30).any(axis=0)
    assert not colourful[: 34 + 2 * 488].any()
    assert colourful[34 + 2 * 488 :].any()
