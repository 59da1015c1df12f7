"""The plan: reproducible, and no number of it depends on another's range."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rebuild import rebuilt
from tiny_scenes import SCENES, scene

from render.plan import picture_count, plan, plan_sample, plan_to_json
from render.scene import read_scene

SEEDS = st.integers(0, 2**63 - 1)


def flat(value, key=""):
    """Return every number of a tree by its dotted key."""
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, (list, tuple)):
        pairs = enumerate(value)
    else:
        return {key: value}
    return {
        k: v for name, item in pairs for k, v in flat(item, f"{key}.{name}".lstrip(".")).items()
    }


def numbers(drawn, index=0):
    """Return every number of a sample, the impurities aside."""
    tree = plan_sample(drawn, index).to_json()
    return flat({key: value for key, value in tree.items() if key != "impurities"})


def moved(before, after):
    assert before.keys() == after.keys()
    return {key for key in before if before[key] != after[key]}


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(0, 10_000))
def test_the_same_seed_and_index_draw_the_same_sample(seed, index):
    assert plan_sample(scene(seed=str(seed)), index) == plan_sample(scene(seed=str(seed)), index)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(0, 10_000))
def test_another_seed_or_index_draws_other_numbers(seed, index):
    drawn = scene(seed=str(seed))
    other = scene(seed=str(seed ^ 1))
    one = plan_sample(drawn, index)
    for sample in (plan_sample(drawn, index + 1), plan_sample(other, index)):
        assert sample.part.texture.seed != one.part.texture.seed
        assert sample.sensor.seed != one.sensor.seed
        assert sample.cycles_seeds != one.cycles_seeds
        assert sample.part.light != one.part.light
        assert sample.part.metal != one.part.metal
        assert sample.views != one.views
        assert sample.part.impurities != one.part.impurities


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(1, 6), st.integers(1, 6))
def test_more_samples_change_none_of_those_before(seed, few, more):
    short = plan(scene(seed=str(seed), samples=str(few)))
    long = plan(scene(seed=str(seed), samples=str(few + more)))
    assert long[:few] == short
    assert len(long) == few + more
    assert [sample.index for sample in long] == list(range(few + more))


STAIN_CHANGES = st.sampled_from(
    [
        {"impurities__water_stain": "null"},
        {"impurities__water_stain__radius_mm": "[1.2, 1.9]"},
        {"impurities__water_stain__density": "0.1"},
        {"impurities__water_stain__cell_size_mm": "[8, 30]"},
        {"impurities__water_stain__heterogeneity": "{modes: 3, rings: 2}"},
        {"impurities__water_stain__centers_mm": "[[0, 0]]"},
    ]
)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(0, 1000), STAIN_CHANGES)
def test_stains_switched_off_or_changed_move_no_other_number(seed, index, changes):
    before, after = scene(seed=str(seed)), scene(seed=str(seed), **changes)
    assert numbers(before, index) == numbers(after, index)
    assert plan_sample(before, index).part.impurities != plan_sample(after, index).part.impurities


#: What a change of each key may move: the numbers of the plan whose name holds one of the words.
MOVES = {
    "metal.reflectance": ["metal.reflectance"],
    "metal.roughness": ["metal.roughness"],
    "metal.anisotropy": ["metal.anisotropy"],
    "texture.angle_deg": ["texture.angle_rad"],
    "texture.strength": ["rms_slope"],
    "texture.grooves_per_cm2": ["texture.grooves.count"],
    "texture.groove_length_mm": ["texture.grooves.length_mm"],
    "texture.groove_width_um": ["texture.grooves.thickness_mm"],
    "texture.groove_slope": ["texture.grooves.slope"],
    "texture.groove_tilt_deg": ["texture.grooves.tilt_rad"],
    "texture.waviness_slope": ["texture.waviness_slope"],
    "texture.waviness_length_mm": ["texture.waviness_length_mm"],
    "lights.inner_mm": ["light.inner_mm"],
    "lights.outer_mm": ["light.outer_mm"],
    "lights.height_mm": ["light.height_mm"],
    "lights.imbalance": ["light.radiance"],
    "lights.decentring_mm": ["light.x_mm", "light.y_mm"],
    "lights.turn_deg": ["light.angle_rad"],
    "lights.ambient": ["light.ambient"],
    # Bars and ambient light are shares of the ring's radiance.
    "lights.radiance": ["light.radiance", "light.ambient"],
    "camera.field_of_view_mm": ["field_of_view_mm"],
    "camera.distance_mm": ["distance_mm"],
    "camera.shift_mm": [".x_mm", ".y_mm"],
    "camera.roll_deg": ["roll_rad"],
    "camera.tilt_deg": ["tilt_x_rad", "tilt_y_rad"],
    "sensor.exposure": ["sensor.exposure"],
    "sensor.blur_px": ["sensor.blur_px"],
    "sensor.full_well_e": ["sensor.full_well_e"],
    "sensor.read_noise_e": ["sensor.read_noise_e"],
    "sensor.black_level": ["sensor.black_level"],
    "sensor.bits": ["sensor.bits"],
    "sensor.vignetting": ["sensor.vignetting"],
    "sensor.gain_noise": ["sensor.gain_noise"],
    "sensor.offset_noise_e": ["sensor.offset_noise_e"],
}

#: New ranges, none of which overlaps the scene's own.
CHANGED = {
    "metal.reflectance": "[0.3, 0.5]",
    "metal.roughness": "0.5",
    "metal.anisotropy": "[0.1, 0.2]",
    "texture.angle_deg": "[20, 30]",
    "texture.strength": "[2, 3]",
    "texture.grooves_per_cm2": "[40, 50]",
    "texture.groove_length_mm": "[30, 40]",
    "texture.groove_width_um": "[30, 40]",
    "texture.groove_slope": "[0.3, 0.4]",
    "texture.groove_tilt_deg": "[1, 2]",
    "texture.waviness_slope": "[0.01, 0.02]",
    "texture.waviness_length_mm": "[20, 30]",
    "lights.inner_mm": "[2, 4]",
    "lights.outer_mm": "[30, 40]",
    "lights.height_mm": "[100, 120]",
    "lights.imbalance": "[0.4, 0.5]",
    "lights.decentring_mm": "[5, 6]",
    "lights.turn_deg": "[10, 20]",
    "lights.ambient": "[0.1, 0.2]",
    "lights.radiance": "[3, 4]",
    "camera.field_of_view_mm": "[30, 32]",
    "camera.distance_mm": "[200, 210]",
    "camera.shift_mm": "[3, 4]",
    "camera.roll_deg": "[20, 30]",
    "camera.tilt_deg": "[2, 3]",
    "sensor.exposure": "[3, 4]",
    "sensor.blur_px": "[1, 2]",
    "sensor.full_well_e": "[20000, 30000]",
    "sensor.read_noise_e": "[20, 30]",
    "sensor.black_level": "[0.1, 0.2]",
    "sensor.bits": "12",
    "sensor.vignetting": "[0.2, 0.4]",
    "sensor.gain_noise": "[0.01, 0.02]",
    "sensor.offset_noise_e": "[5, 9]",
}


@pytest.mark.parametrize("key", MOVES)
def test_a_range_moves_its_own_number_and_no_other(key):
    for seed in ("1", "77"):
        before = numbers(scene(seed=seed, camera__views="[2, 2]"))
        change = {key.replace(".", "__"): CHANGED[key]}
        after = numbers(scene(seed=seed, camera__views="[2, 2]", **change))
        changed = moved(before, after)
        assert changed
        assert {name for name in changed if not any(w in name for w in MOVES[key])} == set()


def test_every_range_of_the_scene_is_tried():
    from render.parts.plate.scene import PlateScene
    from stainless import config

    groups = ("metal", "texture", "lights", "camera", "sensor")
    fixed = {
        "texture.texel_um",  # how finely the same finish is sampled
        "texture.layers",
        "lights.variants",
        "camera.resolution_px",
        "camera.views",
        "camera.pitch_mm",
        "sensor.curve",
    }
    listed = {key.name for key in config.keys(PlateScene) if key.name.split(".")[0] in groups}
    assert listed - fixed == set(MOVES) == set(CHANGED)


def test_what_is_not_drawn_moves_nothing_that_is():
    before = numbers(scene())
    for change in (
        {"texture__texel_um": "50"},
        {"lights__variants": "[hexagon_x2]"},
        {"camera__resolution_px": "[64, 48]"},
        {"rendering__samples": "5"},
        {"scale": "0.5"},
        {"twins": "render"},
    ):
        assert numbers(scene(**change)) == before


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_every_number_lies_in_its_range(seed):
    drawn = scene(seed=str(seed))
    sample = plan_sample(drawn, 0)
    for values, ranges in ((sample.part.metal, drawn.metal), (sample.sensor, drawn.sensor)):
        for name, value in dataclasses.asdict(values).items():
            if name in vars(ranges) and name != "bits":
                limits = getattr(ranges, name)
                low, high = limits if isinstance(limits, tuple) else (limits, limits)
                assert low <= value <= high
    light = sample.part.light
    assert len(light.radiance) == 6
    assert all(0.9 * 0.85 <= bar <= 1.1 * 1.15 for bar in light.radiance)
    assert 145 <= light.height_mm <= 155
    assert max(abs(light.x_mm), abs(light.y_mm)) <= 2
    (view,) = sample.views
    assert max(abs(view.x_mm), abs(view.y_mm)) <= 1
    assert all(0 <= seed < 2**31 for seed in (*sample.cycles_seeds, sample.sensor.seed))


def test_the_fixed_pattern_belongs_to_the_camera_of_the_whole_dataset():
    patterns = {sample.sensor.pattern_seed for sample in plan(scene(samples="4"))}
    assert len(patterns) == 1
    other = {sample.sensor.pattern_seed for sample in plan(scene(samples="4", seed="5"))}
    assert len(other) == 1
    assert other != patterns


def test_a_grid_of_views_covers_the_plate_row_by_row_from_the_upper_left():
    drawn = scene(camera__views="[3, 2]", camera__pitch_mm="[10, 8]", camera__shift_mm="0")
    sample = plan_sample(drawn, 0)
    places = [(view.x_mm, view.y_mm) for view in sample.views]
    assert places == [(-10, 4), (0, 4), (10, 4), (-10, -4), (0, -4), (10, -4)]
    assert len(set(sample.cycles_seeds)) == 6
    assert len({view.roll_rad for view in sample.views}) == 6


def test_the_plan_survives_json_with_every_digit():
    drawn = scene(samples="2")
    tree = json.loads(json.dumps(plan_to_json(drawn)))
    assert tree["picture_shape"] == [80, 96]
    assert len(tree["samples"]) == 2
    for index, sample in enumerate(tree["samples"]):
        assert flat(sample) == flat(plan_sample(drawn, index).to_json())
        for name, members in plan_sample(drawn, index).part.impurities.items():
            rebuilt_members = [
                rebuilt(type(member), fields)
                for member, fields in zip(members, sample["impurities"][name], strict=True)
            ]
            assert rebuilt_members == members


def test_every_nth_sample_is_for_testing():
    splits = [sample.split for sample in plan(scene(samples="8", test_every="3"))]
    assert splits == ["train", "train", "test"] * 2 + ["train", "train"]
    assert {sample.split for sample in plan(scene(samples="3", test_every="0"))} == {"train"}


def test_picture_count_by_hand():
    # 80 plates, one view, three lights, twins.
    assert picture_count(read_scene(SCENES / "plate.yaml")) == 480
    assert picture_count(scene(samples="2", camera__views="[3, 2]")) == 2 * 6 * 3 * 2
    assert picture_count(scene(samples="2", impurities__water_stain="null")) == 2 * 3
