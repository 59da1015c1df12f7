"""Twins: one picture with impurities and one without, equal in everything else."""

import dataclasses

import cv2
import numpy as np
import pytest
from support.plates import render_radiance
from tiny_scenes import scene

from render.camera import picture_shape, pixel_to_plane
from render.cycles.tracer import Tracer
from render.part import Frame, sampling
from render.parts.plate.cover import Cover, cover, twin_region
from render.parts.plate.maps import normal_map, reflectance_map
from render.picture import render_sample
from render.plan import plan_sample
from render.sensor import Sensor

#: A camera without noise worth the name, that nothing over-exposes, and a picture full of stains.
CALM = {
    "samples": "1",
    "lights__variants": "[hexagon, hexagon_x2]",
    "sensor__exposure": "0.3",
    "sensor__full_well_e": "1e7",
    "sensor__read_noise_e": "0",
    "sensor__black_level": "0",
    "sensor__bits": "16",
    "rendering__denoise": "false",
    "impurities__water_stain__density": "1",
}


def pictures(**changes):
    """Render the first sample and return its pictures by light variant, clean then stained."""
    drawn = scene(**changes)
    found = {}
    for picture in render_sample(drawn, plan_sample(drawn, 0), Tracer(2)):
        found.setdefault(picture.shot.light, []).append(picture)
    return found


def near(mask, pixels=2):
    """Return a mask dilated by a square, the most that 'dilated by 2 px' allows."""
    size = 2 * pixels + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)).astype(bool)


@pytest.fixture(scope="module", params=["ratio", "render"])
def twins(request):
    return pictures(twins=request.param, samples="1", impurities__water_stain__density="1")


def test_twins_are_equal_outside_the_dilated_mask_bit_for_bit(twins):
    assert list(twins) == ["hexagon", "hexagon_rot90", "hexagon_x2"]
    for clean, stained in twins.values():
        assert (clean.shot.twin, stained.shot.twin) == ("clean", "stained")
        mask = stained.labels.classes > 0
        assert 0.1 < mask.mean() < 0.7
        outside = ~near(mask)
        assert outside.mean() > 0.1
        np.testing.assert_array_equal(clean.pixels[outside], stained.pixels[outside])


def test_stains_show(twins):
    clean, stained = twins["hexagon"]
    inside = stained.labels.classes > 0
    assert stained.pixels[inside].mean(dtype=float) < 0.97 * clean.pixels[inside].mean(dtype=float)


def test_labels_are_of_the_stained_twin_and_the_same_under_every_light(twins):
    for clean, stained in twins.values():
        assert not clean.labels.classes.any()
        assert not clean.labels.instances.any()
        assert stained.labels.classes.dtype == np.uint8
        assert stained.labels.instances.dtype == np.uint16
        np.testing.assert_array_equal(stained.labels.classes > 0, stained.labels.instances > 0)
        assert set(np.unique(stained.labels.classes)) == {0, 1}
        np.testing.assert_array_equal(
            stained.labels.instances, twins["hexagon"][1].labels.instances
        )


@pytest.fixture(scope="module")
def calm():
    """The same sample, its twin derived by ratio and rendered, with samples to spare."""
    return {
        how: pictures(twins=how, rendering__samples_undenoised="96", **CALM)
        for how in ("ratio", "render")
    }


def test_twins_by_ratio_are_what_rendering_gives(calm):
    for variant, (clean, derived) in calm["ratio"].items():
        same, rendered = calm["render"][variant]
        np.testing.assert_array_equal(clean.pixels, same.pixels)
        inside = derived.labels.classes > 0
        one, other = derived.pixels[inside].astype(float), rendered.pixels[inside].astype(float)
        assert one.mean() == pytest.approx(other.mean(), rel=0.002)
        error = np.abs(one / other - 1)
        # Single pixels differ at outlines, where one averages exactly and the other by samples.
        assert np.median(error) < 0.005
        assert np.quantile(error, 0.99) < 0.05


def test_twice_the_light_is_the_same_picture_twice_as_bright(calm):
    for how in ("ratio", "render"):
        for once, twice in zip(calm[how]["hexagon"], calm[how]["hexagon_x2"], strict=True):
            assert twice.pixels.max() < 65535
            ratio = twice.pixels.astype(float) / once.pixels
            # Shot noise of 1e7 electrons, and one step of 65536.
            assert ratio.mean() == pytest.approx(2, abs=0.001)
            assert np.abs(ratio - 2).max() < 0.1


@pytest.fixture(scope="module")
def rendered_radiance():
    """The radiance of the bare and of the stained plate, straight from Cycles."""
    drawn = scene(twins="render", rendering__samples_undenoised="8", texture__texel_um="50")
    sample = plan_sample(drawn, 0)
    (view,) = sample.views
    shape = picture_shape(drawn.camera, drawn.scale)
    plate = sample.part
    normals = normal_map(drawn, plate, view, shape)
    frame = Frame(0, view, shape, sample.cycles_seeds[0])
    cycles = sampling(drawn, frame, Tracer(2), denoise=False)
    assert (cycles.samples, cycles.denoise) == (8, False)
    fixed = (drawn.plate.size_mm, plate.metal, normals, plate.light, view, shape, cycles)
    covered = cover(plate.impurities, pixel_to_plane(view, shape), shape, plate.metal.reflectance)
    return (
        render_radiance(*fixed),
        render_radiance(*fixed, reflectance_map(plate, normals)),
        covered,
    )


def test_rendered_twins_have_the_same_light_outside_stains(rendered_radiance):
    # To the last place of a float: the stained plate's reflectance is interpolated from a map.
    clean, stained, covered = rendered_radiance
    outside = ~near(covered.classes > 0)
    # A stain just beyond the picture reaches into its outermost pixels, but has no mask there.
    outside[[0, -1]] = outside[:, [0, -1]] = False
    assert 0.2 < outside.mean() < 0.95
    np.testing.assert_allclose(stained[outside], clean[outside], rtol=1e-6)


def test_rendered_light_inside_stains_follows_the_ratio(rendered_radiance):
    clean, stained, covered = rendered_radiance
    inside = cv2.erode((covered.classes > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert inside.sum() > 100
    ratio = (stained / clean)[inside]
    assert np.abs(ratio - covered.ratio[inside]).max() < 0.06
    assert np.abs(ratio - covered.ratio[inside]).mean() < 0.003
    assert ratio.min() < 0.95


SENSOR = Sensor(1.0, 0.6, 1e4, 5.0, 0.01, 8, 1)


def test_twin_region_is_the_mask_dilated_step_by_step():
    mask = np.zeros((15, 15), bool)
    mask[7, 7] = True
    rows, columns = np.mgrid[-7:8, -7:8]
    diamond = abs(rows) + abs(columns)
    np.testing.assert_array_equal(twin_region(mask, SENSOR), diamond <= 2)
    blurred = dataclasses.replace(SENSOR, blur_px=1.5)
    np.testing.assert_array_equal(twin_region(mask, blurred), diamond <= 5)
    assert not twin_region(np.zeros((4, 4), bool), SENSOR).any()


def test_cover_is_nothing_where_nothing_lies():
    bare = cover({}, np.eye(3), (4, 5), 0.8)
    assert isinstance(bare, Cover)
    assert (bare.ratio == 1).all()
    assert not bare.classes.any()
    assert not bare.instances.any()


def test_a_scene_without_impurities_has_clean_pictures_only_and_the_very_same():
    few = {"samples": "1", "lights__variants": "[hexagon]"}
    (only,) = pictures(impurities__water_stain="null", **few)["hexagon"]
    clean, _ = pictures(**few)["hexagon"]
    np.testing.assert_array_equal(only.pixels, clean.pixels)


def test_lights_of_a_set_do_not_depend_on_the_others():
    everything = pictures(samples="1")
    for name in everything:
        alone = pictures(samples="1", lights__variants=f"[{name}]")[name]
        for one, other in zip(alone, everything[name], strict=True):
            np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_view_beside_the_plate_is_rendered_all_the_same():
    drawn = scene(samples="1", camera__shift_mm="[400, 401]", lights__variants="[hexagon]")
    clean, stained = render_sample(drawn, plan_sample(drawn, 0), Tracer(2))
    assert clean.pixels.shape == stained.pixels.shape == (80, 96)
