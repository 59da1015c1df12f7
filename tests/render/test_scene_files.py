"""The scenes that come with the product, and the reference that their keys are."""

import dataclasses
import inspect
import re
import typing
from pathlib import Path

import pytest
import yaml
from tiny_scenes import SCENES, scene

from impurities.registry import IMPURITIES
from render.layout import categories
from render.parts.plate.registry import FLAWS
from render.parts.plate.scene import DefectRanges, ImpurityRanges, PlateScene
from render.scene import read_scene
from stainless.errors import InputError


@pytest.mark.parametrize("path", sorted(SCENES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_scene_file_is_valid(path):
    assert read_scene(path).samples >= 1


def test_plate_is_the_papers_set_up():
    # Sequential PatchCore (arXiv 2501.09579), section III and its table of categories.
    plate = read_scene(SCENES / "plate.yaml")
    assert plate.samples == 80
    assert plate.scale == 1
    assert sorted(plate.plate.size_mm[:2]) == [100, 120]
    assert plate.camera.resolution_px == (2448, 2050)
    assert plate.camera.views == (1, 1)
    assert plate.lights.variants == ["hexagon", "hexagon_rot90", "hexagon_x2"]
    assert set(categories(plate)) == {
        f"{kind}{light}" for kind in ("clean", "stained") for light in ("", "_rot90", "_x2")
    }
    assert plate.impurities.water_stain is not None
    assert plate.impurities.water_stain.heterogeneity.modes == 1
    assert plate.impurities.water_stain.heterogeneity.rings == 0


def test_the_demonstration_is_plate_at_a_quarter_of_its_resolution():
    plate, small = (read_scene(SCENES / name) for name in ("plate.yaml", "plate_small.yaml"))
    assert (small.scale, small.samples) == (0.25, 4)
    counts = {
        "samples": small.samples,
        "scale": small.scale,
        "test_every": small.test_every,
    }
    assert dataclasses.replace(plate, **counts) == small


def test_the_demonstration_of_inspection_has_what_every_figure_needs():
    small = read_scene(SCENES / "cell_small.yaml")
    assert small.samples == small.series.count() == 5
    kinds = {(group.split, group.defects) for group in small.series.groups}
    assert {("train", False), ("validation", True), ("test", True), ("test", False)} <= kinds


def test_every_texture_and_light_key_of_plate_has_its_meaning_beside_it():
    text = (SCENES / "plate.yaml").read_text(encoding="utf-8")
    groups = yaml.safe_load(text)
    for group in ("metal", "texture", "lights", "sensor"):
        for key in groups[group]:
            (line,) = re.findall(rf"^  {key}:.*$", text, re.MULTILINE)
            assert (
                "#" in line
                or key in ("variants", "full_well_e", "read_noise_e", "bits")
                or (key in ("outer_mm", "groove_length_mm", "distance_mm"))
            ), line


def trees(kind):
    """Yield every dataclass of ranges below one, itself first."""
    yield kind
    for hint in typing.get_type_hints(kind).values():
        for option in (hint, *typing.get_args(hint)):
            if dataclasses.is_dataclass(option):
                yield from trees(option)


@pytest.mark.parametrize(
    "kind", sorted({*trees(PlateScene)} - {ImpurityRanges, DefectRanges}, key=lambda k: k.__name__)
)
def test_every_key_is_documented(kind):
    documented = inspect.cleandoc(kind.__doc__).split("Attributes:")[1]
    entries = re.findall(r"^    (\w+(?:, \w+)*): ", documented, re.MULTILINE)
    names = [name for entry in entries for name in entry.split(", ")]
    # A base has documented its own.
    assert names == list(inspect.get_annotations(kind))


def test_there_is_a_key_for_every_impurity():
    assert [field.name for field in dataclasses.fields(ImpurityRanges)] == list(IMPURITIES)


def test_there_is_a_key_for_every_defect():
    assert [field.name for field in dataclasses.fields(DefectRanges)] == list(FLAWS)


BAD = {
    "samples": ["0", "-1", "1000001"],
    "seed": ["-1", str(2**63)],
    "scale": ["0", "-1", "9", ".nan"],
    "twins": ["both"],
    "test_every": ["-1", "-2"],
    "plate.size_mm": ["[-120, 100, 3]", "[0, 1, 1]", "[9e9, 1, 1]", "[.nan, 1, 1]"],
    "metal.reflectance": ["0", "[0.5, 1.1]", "[0.9, 0.8]", ".nan"],
    "metal.roughness": ["0", "1.5"],
    "metal.anisotropy": ["-0.1", "1"],
    "texture.texel_um": ["0", "-3", "900"],
    "texture.angle_deg": ["[-3, 3]", "[5, 2]"],
    "texture.strength": ["-1"],
    "texture.grooves_per_cm2": ["-1"],
    "texture.groove_length_mm": ["0", "[3, 1]"],
    "texture.groove_width_um": ["0"],
    "texture.groove_slope": ["[-1, 1]"],
    "texture.groove_tilt_deg": ["100"],
    "texture.waviness_slope": ["3"],
    "texture.waviness_length_mm": ["0"],
    "lights.variants": ["[hexagon, moon]", "[]", "[hexagon, hexagon]"],
    "lights.inner_mm": ["-1"],
    "lights.outer_mm": ["0", "9", "[9, 20]"],
    "lights.height_mm": ["0", "-150"],
    "lights.radiance": ["0", "[-1, 1]", ".inf"],
    "lights.imbalance": ["1.5"],
    "lights.decentring_mm": ["-1"],
    "lights.turn_deg": ["200"],
    "lights.ambient": ["-0.1"],
    "camera.resolution_px": ["[0, 100]", "[8, 8]", "[-96, 80]", "[99999, 99999]"],
    "camera.field_of_view_mm": ["0", "-40"],
    "camera.distance_mm": ["0", "2"],
    "camera.views": ["[0, 1]", "[7, 1]", "[1, 7]"],
    "camera.pitch_mm": ["[-1, 30]"],
    "camera.shift_mm": ["[-1, 1]"],
    "camera.roll_deg": ["181"],
    "camera.tilt_deg": ["[0, 31]"],
    "sensor.exposure": ["0"],
    "sensor.blur_px": ["-0.5"],
    "sensor.full_well_e": ["1"],
    "sensor.read_noise_e": ["-1"],
    "sensor.black_level": ["0.6"],
    "sensor.bits": ["7", "17"],
    "rendering.samples": ["0", "-8"],
    "rendering.samples_undenoised": ["0"],
    "impurities.water_stain.alpha": ["[-2, 0]"],
}


@pytest.mark.parametrize(("key", "text"), [(key, text) for key in BAD for text in BAD[key]])
def test_an_implausible_value_names_its_option_and_key(key, text):
    with pytest.raises(InputError) as caught:
        scene(**{key.replace(".", "__"): text})
    line = str(caught.value)
    assert line.startswith(f"--{key}")
    assert line.count(key) == 1
    assert "expected" in line
    assert "\n" not in line


def test_an_implausible_layer_names_its_place():
    good = "{groove_width_mm: 1, streak_length_mm: 1, rms_slope: 0.1}"
    with pytest.raises(InputError, match=r"^--texture.layers\[1\].rms_slope: 4"):
        scene(texture__layers=f"[{good}, {good.replace('0.1', '4')}]")
    with pytest.raises(InputError, match=r"texture.layers\[1\].groove_width_mm: missing"):
        scene(texture__layers=f"[{good}, {{rms_slope: 0.1}}]")


def test_a_stain_that_reaches_beyond_the_neighbour_cells():
    with pytest.raises(InputError, match="reach of the neighbouring cells") as caught:
        scene(impurities__water_stain__radius_mm="[2, 9]")
    assert str(caught.value).startswith("--impurities.water_stain.radius_mm: ")


def test_a_bad_value_blames_the_file_that_holds_it(tmp_path):
    base, top = tmp_path / "base.yaml", tmp_path / "top.yaml"
    base.write_text("metal: {roughness: 7}")
    top.write_text(f"extends: {Path('base.yaml')}\nsamples: 3")
    for path in (base, top):
        with pytest.raises(InputError) as caught:
            read_scene(path)
        assert str(caught.value).startswith(f"{base}: metal.roughness: 7")
