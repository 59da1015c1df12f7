"""A coloured part of the tests' own: rendered, laid out in both ways, and read back."""

from __future__ import annotations

import json
import shutil
import warnings

import cv2
import numpy as np
import pytest
from support import example_parts
from support.check_part import exposures
from support.example_parts import generate
from tiny_scenes import files, manifest, picture_hashes

from render.camera import pixel_to_plane
from render.cycles.tracer import Tracer
from render.plan import plan_sample
from render.scene import read_scene
from stainless.dataset import (
    list_categories,
    load_annotation,
    load_image,
    load_mask,
    load_regions,
    read_category,
)
from stainless.errors import InputError
from stainless.homography import project

CONFIG = example_parts.PLACE / "discs.yaml"
SHAPE = (56, 64)


@pytest.fixture(scope="module", autouse=True)
def place():
    with example_parts.in_place():
        yield


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """The same discs in both layouts. Read only."""
    folder = tmp_path_factory.mktemp("discs")
    for layout in ("mvtec", "loco"):
        done = generate("--config", CONFIG, "--output", folder / layout, "--layout", layout)
        assert done.returncode == 0, done.stderr
        assert "6 samples, 6 pictures" in done.stdout
    return folder


def on_disc(index):
    """Return which pixels of a sample's picture show where its disc is, or should be."""
    sample = plan_sample(read_scene(CONFIG), index)
    rows, columns = np.indices(SHAPE) + 0.5
    return np.hypot(*project(pixel_to_plane(sample.views[0], SHAPE), columns, rows)) < (
        sample.part.radius_mm
    )


def test_the_disc_is_red_on_a_bluish_cloth(datasets):
    image = load_image(datasets / "mvtec/discs/train/good/000.png")
    assert image.shape == (*SHAPE, 3)
    inside = on_disc(0)
    red, green, blue = image[inside].mean(axis=0)
    assert red > 2 * green > 2.5 * blue
    red, green, blue = image[~inside].mean(axis=0)
    assert red < green < blue


def test_both_layouts_hold_the_same_pictures_and_labels(datasets):
    mvtec, loco = manifest(datasets / "mvtec"), manifest(datasets / "loco")
    for one, other in zip(mvtec, loco, strict=True):
        assert one["parameters"] == other["parameters"]
        in_category = [
            {h for n, h in entry["files"].items() if "ground_truth" not in n}
            for entry in (one, other)
        ]
        assert in_category[0] == in_category[1]


def test_the_layout_of_loco_is_as_published(datasets):
    names = {name for name in files(datasets / "loco") if name.startswith("discs/")}
    assert names == {
        "discs/defects_config.json",
        "discs/groups.csv",
        "discs/train/good/000.png",
        "discs/train/good/001.png",
        "discs/validation/good/002.png",
        "discs/test/good/003.png",
        "discs/test/logical_anomalies/004.png",
        "discs/test/structural_anomalies/005.png",
        "discs/ground_truth/logical_anomalies/004/000.png",
        "discs/ground_truth/structural_anomalies/005/000.png",
    }
    assert json.loads((datasets / "loco/discs/defects_config.json").read_text()) == [
        {
            "defect_name": "chipped",
            "pixel_value": 101,
            "saturation_threshold": 1.0,
            "relative_saturation": True,
        },
        {
            "defect_name": "missing",
            "pixel_value": 102,
            "saturation_threshold": 0.5,
            "relative_saturation": True,
        },
    ]
    truth = cv2.imread(
        str(datasets / "loco/discs/ground_truth/logical_anomalies/004/000.png"),
        cv2.IMREAD_UNCHANGED,
    )
    np.testing.assert_array_equal(truth, np.where(on_disc(4), 102, 0))


def test_training_reads_loco(datasets):
    assert list_categories(datasets / "loco") == ["discs"]
    train = read_category(datasets / "loco", "discs", "train")
    (validation,) = read_category(datasets / "loco", "discs", "validation")
    tests = read_category(datasets / "loco", "discs", "test")
    assert [sample.is_good for sample in (*train, validation)] == [True] * 3
    assert [s.label for s in tests] == ["good", "logical_anomalies", "structural_anomalies"]
    regions = {sample.label: load_regions(sample) for sample in tests}
    assert regions["good"] == []
    (missing,), (chipped,) = regions["logical_anomalies"], regions["structural_anomalies"]
    assert (missing.name, chipped.name) == ("missing", "chipped")
    assert missing.saturation == missing.mask.sum() / 2
    assert chipped.saturation == chipped.mask.sum()
    for sample, region in zip(tests[1:], (missing, chipped), strict=True):
        annotation = load_annotation(sample)
        shown = {annotation.names[i].name for i in np.unique(annotation.classes) if i}
        assert shown == {region.name}
        np.testing.assert_array_equal(annotation.classes > 0, region.mask)
        np.testing.assert_array_equal(load_mask(sample), region.mask)


def test_training_reads_mvtec(datasets):
    tests = read_category(datasets / "mvtec", "discs", "test")
    assert [sample.label for sample in tests] == ["defective", "defective", "good"]
    loco = read_category(datasets / "loco", "discs", "test")
    masks = {tuple(np.flatnonzero(load_mask(sample))) for sample in tests}
    assert masks == {tuple(np.flatnonzero(load_mask(sample))) for sample in loco}
    (validation,) = read_category(datasets / "mvtec", "discs", "validation")
    assert validation.is_good


@pytest.mark.parametrize("layout", ["mvtec", "loco"])
def test_anomalib_reads_it_unchanged(datasets, layout):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from anomalib.data import MVTecAD, MVTecLOCO

        reader = {"mvtec": MVTecAD, "loco": MVTecLOCO}[layout]
        data = reader(datasets / layout, "discs", num_workers=0)
        data.setup()
    assert len(data.train_data) == 2
    items = {str(item.image_path).split("/")[-2:][0]: item for item in data.test_data}
    assert len(data.val_data) == (1 if layout == "loco" else len(data.test_data))
    kinds = {"mvtec": {"defective"}, "loco": {"structural_anomalies", "logical_anomalies"}}[layout]
    assert set(items) == {"good", *kinds}
    for kind, item in items.items():
        assert item.image.shape == (3, *SHAPE)
        assert bool(item.gt_mask.any()) == bool(item.gt_label) == (kind != "good")
    missing = items.get("logical_anomalies")
    if missing is not None:
        np.testing.assert_array_equal(missing.gt_mask.numpy().squeeze(), on_disc(4))


@pytest.mark.parametrize("layout", ["mvtec", "loco"])
def test_the_manifest_has_true_hashes_and_a_second_run_finds_all_done(datasets, layout):
    output = datasets / layout
    written = {
        name: digest for entry in manifest(output) for name, digest in entry["files"].items()
    }
    on_disk = picture_hashes(output)
    on_disk.pop("contact_sheet.png")
    assert written == on_disk
    again = generate("--config", CONFIG, "--output", output, "--layout", layout)
    assert again.returncode == 0, again.stderr
    assert "render:" not in again.stderr


def test_a_spoilt_colour_picture_is_rendered_again(datasets, tmp_path):
    output = shutil.copytree(datasets / "loco", tmp_path / "copy")
    before = picture_hashes(output)
    # Red for blue: the same values in another order.
    path = output / "discs/train/good/001.png"
    cv2.imwrite(str(path), cv2.imread(str(path))[..., ::-1])
    assert picture_hashes(output) != before
    (output / "discs/ground_truth/logical_anomalies/004/000.png").unlink()
    again = generate("--config", CONFIG, "--output", output, "--layout", "loco")
    assert again.returncode == 0, again.stderr
    assert "2/2" in again.stderr
    assert picture_hashes(output) == before


def test_a_dataset_of_one_layout_is_not_continued_in_the_other(datasets):
    done = generate("--config", CONFIG, "--output", datasets / "loco", "--layout", "mvtec")
    assert done.returncode == 2
    assert "holds another scene (layout is loco there and mvtec here)" in done.stderr


def test_a_picture_of_several_channels_may_have_sixteen_bits(tmp_path):
    words = ("--sensor.bits", "12", "--samples", "1", "--sensor.vignetting", "0.3")
    noise = ("--sensor.gain_noise", "0.01", "--sensor.offset_noise_e", "3")
    done = generate("--config", CONFIG, "--output", tmp_path / "deep", *words, *noise)
    assert done.returncode == 0, done.stderr
    pixels = cv2.imread(str(tmp_path / "deep/discs/train/good/000.png"), cv2.IMREAD_UNCHANGED)
    assert (pixels.dtype, pixels.shape) == (np.uint16, (*SHAPE, 3))


def test_a_preview_is_in_colour(tmp_path):
    good = ("--samples", "1", "--series.groups", "[{split: train}]")
    done = generate("--config", CONFIG, "--output", tmp_path / "shown", "--preview", *good)
    assert done.returncode == 0, done.stderr
    sheet = cv2.imread(str(tmp_path / "shown/preview.png"))
    red, blue = (sheet[34:-8, 34:514, channel].astype(int) for channel in (2, 0))
    assert ((red - blue) > 40).mean() > 0.1


def test_labels_of_the_pass_through_pixel_centres_are_the_analytic_ones():
    # What the surfaces show is what the formulas say: cloth where the disc lacks a sector.
    stages = []

    class Spy(Tracer):
        def render(self, stage, view, shape, how):
            stages.append(stage)
            return np.zeros((*shape, 3), np.float32)

    scene, tracer = read_scene(CONFIG), Spy(1)
    sample = plan_sample(scene, 5)
    (exposure,) = exposures(scene, sample, tracer)
    found = tracer.surfaces(stages[0], sample.views[0], SHAPE)
    disc = 1 + [mesh.name for mesh in stages[0].meshes].index("disc")
    expected = on_disc(5) & (exposure.labels.classes == 0)
    assert exposure.labels.classes.any()
    assert ((found.mesh == disc) != expected).mean() < 0.003


SCENES = [
    ("part: dics", (), "scene.yaml: part: dics, unknown kind of part, did you mean disc?"),
    (
        "part: 7",
        (),
        "scene.yaml: part: 7, unknown kind of part, expected one of connector, disc, plate",
    ),
    ("part: disc", [("part", "plat")], "--part: plat, unknown kind of part, did you mean plate?"),
    ("part: disc\nmetal: {}", (), "scene.yaml: metal: unknown key"),
    ("disc: {}", (), "scene.yaml: disc: unknown key"),
    ("part: disc", [("metal.roughness", "0.3")], "--metal.roughness: metal: unknown key"),
    ("part: disc", [("disc.radius_mm", "-1")], "--disc.radius_mm: -1.0, expected within [0.1, 99]"),
    ("part: disc\ndisc: {chip_deg: 0}", (), "scene.yaml: disc.chip_deg: 0.0, expected within"),
    ("layout: coco", (), "scene.yaml: layout: 'coco', expected one of mvtec, loco"),
]


@pytest.mark.parametrize(("text", "overrides", "says"), SCENES)
def test_a_bad_scene_is_one_line(tmp_path, text, overrides, says):
    path = tmp_path / "scene.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_scene(path, overrides)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_scene_of_another_part_may_be_extended_in_both_directions(tmp_path):
    disc = read_scene(CONFIG)
    assert disc.camera.field_of_view_mm == 20, "from the plate's scene"
    assert not hasattr(disc, "metal")
    path = tmp_path / "plates.yaml"
    path.write_text(f"extends: {CONFIG}\npart: plate\nmetal: {{roughness: 0.5}}")
    plate = read_scene(path, [("texture.texel_um", "100")])
    assert (plate.metal.roughness, plate.seed) == (0.5, 5)
    assert not hasattr(plate, "disc")


def test_the_keys_of_a_part_are_listed():
    for words in (["--part", "disc"], ["--config", str(CONFIG)]):
        listed = generate("--keys", *words)
        assert listed.returncode == 0, listed.stderr
        assert "--disc.chip_deg (a number or [low, high]; default [40.0, 80.0])" in listed.stdout
        assert "metal.roughness" not in listed.stdout
    wrong = generate("--keys", "--part", "dsic")
    assert wrong.returncode == 2
    assert wrong.stderr == (
        "generate: error: --part: dsic, unknown kind of part, did you mean disc?\n"
    )
