"""Pictures that Cycles renders show what the analytic camera says, to a fraction of a pixel."""

import dataclasses

import cv2
import numpy as np
import pytest
from support.plates import render_radiance
from tiny_scenes import scene

from impurities.water_stain.stain import WaterStain
from render.camera import View, pixel_to_plane
from render.cycles.tracer import Sampling
from render.lights.ring import HexagonLight
from render.parts.plate.cover import cover
from render.parts.plate.maps import reflectance_map
from render.parts.plate.stage import PlateMap
from render.parts.plate.surface.metal import Metal
from render.plan import plan_sample
from stainless.homography import project

SHAPE = (80, 112)
PLATE = (40.0, 30.0, 3.0)
METAL = Metal(reflectance=0.8, roughness=0.6, anisotropy=0.0)
LIGHT = HexagonLight(10.0, 30.0, 80.0, 0.0, 0.0, 0.0, (1.0,) * 6, 0.5)
UPRIGHT = View(0.5, -0.3, 100.0, 9.0)
#: Tilted so that it looks at the middle all the same.
TURNED = View(-0.63, -7.18, 100.0, 9.0, roll_rad=0.5, tilt_x_rad=0.06, tilt_y_rad=-0.04)


def flat(texels=900):
    """Return the map of an even surface, 12 mm wide, of the given resolution."""
    normals = np.zeros((texels, texels, 3), np.float32)
    normals[..., 2] = 1
    return PlateMap(normals, (-6.0, -6.0), (6.0, 6.0), 0.0)


def stain(x, y, radius):
    """Return a stain that is dark all over: d to the power of 0.02 is 1 but for its very middle."""
    return WaterStain((x, y), radius, 0.3 * radius, 0.6, 0.02, -0.75, (3.0, 7.0))


#: Without any symmetry: a large one in the upper right, a small one far left, one below.
STAINS = {"water_stain": [stain(1.8, 1.5, 1.1), stain(-2.6, 0.8, 0.5), stain(-0.6, -1.6, 0.8)]}


def radiance(view, reflectance=None, samples=64):
    sampling = Sampling(samples, False, 5, 2)
    return render_radiance(PLATE, METAL, flat(), LIGHT, view, SHAPE, sampling, reflectance)


@pytest.fixture(scope="module", params=[UPRIGHT, TURNED], ids=["upright", "turned"])
def pattern(request):
    """Return the rendered ratio of stained to clean, and what lies there by analysis."""
    sample = dataclasses.replace(plan_sample(scene(), 0).part, impurities=STAINS, metal=METAL)
    stained = radiance(request.param, reflectance_map(sample, flat()))
    covered = cover(STAINS, pixel_to_plane(request.param, SHAPE), SHAPE, METAL.reflectance)
    return stained / radiance(request.param), covered


def test_the_mask_is_where_the_rendered_stain_is(pattern):
    ratio, covered = pattern
    inside = covered.classes > 0
    assert 0.05 < inside.mean() < 0.6
    cross = np.ones((3, 3), np.uint8)
    rim = cv2.dilate(inside.astype(np.uint8), cross) != cv2.erode(inside.astype(np.uint8), cross)
    # Dark inside, light outside; only a pixel that the outline crosses may be in doubt.
    wrong = (ratio < 0.55) != inside
    assert not (wrong & ~rim).any()
    assert wrong.sum() < 0.1 * rim.sum()


def test_the_rendered_stain_lies_where_it_should_to_a_twentieth_of_a_pixel(pattern):
    ratio, covered = pattern
    for axis in (0, 1):
        slope = np.gradient(covered.ratio, axis=axis)
        shift = ((ratio - covered.ratio) * slope).sum() / (slope**2).sum()
        assert abs(shift) < 0.05


def test_the_ratio_of_a_pixel_is_the_mean_over_its_square(pattern):
    ratio, covered = pattern
    difference = ratio - covered.ratio
    assert np.abs(difference).max() < 0.2
    assert np.abs(difference).mean() < 0.005
    assert abs(difference.mean()) < 0.001


def test_row_0_is_at_the_top_of_the_plate_and_column_0_at_its_left(pattern):
    ratio, covered = pattern
    assert set(np.unique(covered.instances)) == {0, 1, 2, 3}
    middle = [np.argwhere(covered.instances == k).mean(axis=0) for k in (1, 2, 3)]
    assert middle[0][0] < middle[2][0], "higher on the plate, higher in the picture"
    assert middle[1][1] < middle[0][1], "farther left on the plate, farther left in the picture"
    for row, column in middle:
        assert ratio[int(row), int(column)] < 0.45


def test_the_camera_sees_the_plates_edge_where_it_is():
    # The corner at +x, +y of the plate: metal below and left of it, the background elsewhere.
    view = View(20.0, 15.0, 100.0, 9.0, roll_rad=0.3)
    light = dataclasses.replace(LIGHT, ambient=0.0)
    sampling = Sampling(16, False, 5, 2)
    normals = dataclasses.replace(flat(2), low_mm=(-20.0, -15.0), high_mm=(20.0, 15.0))
    seen = render_radiance(PLATE, METAL, normals, light, view, SHAPE, sampling) > 0
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    x, y = project(pixel_to_plane(view, SHAPE), columns + 0.5, rows + 0.5)
    inside = (np.maximum(x - 20, y - 15) < -0.12) & (x > -20)  # more than a pixel from the edge
    outside = np.maximum(x - 20, y - 15) > 0.12
    assert inside.any()
    assert outside.any()
    assert seen[inside].all()
    assert not seen[outside].any()


def test_radiance_depends_on_the_seed_and_on_nothing_else():
    once = radiance(UPRIGHT, samples=4)
    np.testing.assert_array_equal(once, radiance(UPRIGHT, samples=4))
    for threads in (1, 3):
        sampling = Sampling(4, False, 5, threads)
        again = render_radiance(PLATE, METAL, flat(), LIGHT, UPRIGHT, SHAPE, sampling)
        np.testing.assert_array_equal(once, again)
    other = render_radiance(PLATE, METAL, flat(), LIGHT, UPRIGHT, SHAPE, Sampling(4, False, 6, 2))
    assert (once != other).mean() > 0.9


def test_the_ring_is_seen_by_the_metal_but_not_by_the_camera():
    # The camera looks past a ring that would fill its picture.
    near = dataclasses.replace(LIGHT, inner_mm=0.0, height_mm=50.0)
    seen = render_radiance(PLATE, METAL, flat(), near, UPRIGHT, SHAPE, Sampling(16, False, 5, 2))
    assert 0 < seen.mean() < 0.95


def test_twice_the_light_is_twice_the_radiance():
    double = dataclasses.replace(LIGHT, radiance=(2.0,) * 6, ambient=1.0)
    bright = render_radiance(PLATE, METAL, flat(), double, UPRIGHT, SHAPE, Sampling(4, False, 5, 2))
    np.testing.assert_allclose(bright, 2 * radiance(UPRIGHT, samples=4), rtol=1e-5)


def test_a_mirror_would_show_each_bar_on_its_own_side():
    # One bar alone shines: the highlight on smooth metal lies between the camera and that bar.
    smooth = Metal(0.9, 0.15, 0.0)
    places = {}
    for side in (0, 3):
        bars = tuple(float(k == side) for k in range(6))
        light = HexagonLight(3.0, 8.0, 100.0, 0.0, 0.0, -np.pi / 6, bars, 0.0)
        view = View(0.0, 0.0, 100.0, 9.0)
        seen = render_radiance(
            PLATE, smooth, flat(2), light, view, SHAPE, Sampling(16, False, 1, 2)
        )
        places[side] = (seen.sum(axis=0) * (np.arange(SHAPE[1]) + 0.5 - SHAPE[1] / 2)).sum()
    assert places[0] > 0 > places[3], "the first bar hangs over +x, the fourth over -x"
