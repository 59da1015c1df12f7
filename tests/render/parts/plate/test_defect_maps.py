"""Defects on slope maps and over pictures are what they are at points."""

import dataclasses
import math

import numpy as np
import pytest

from render.camera import View, pixel_to_plane
from render.parts.plate.defects import add_slopes, in_order, rasterize
from render.parts.plate.flaws.bump import Bump
from render.parts.plate.flaws.dent import Dent
from render.parts.plate.flaws.scratch import Scratch
from render.parts.plate.registry import FLAWS
from render.parts.plate.surface.parallel_texture import Window
from stainless.homography import axis_aligned, project

AREA = (-7.0, -6.0, 7.0, 6.0)


def some(per_plate=2.0, seed=5):
    return {
        name: kind.sample(kind.ranges(per_plate=per_plate), AREA, np.random.default_rng(seed))
        for name, kind in FLAWS.items()
    }


def by_points(members, homography, shape):
    """Return each pixel's instance, all defects evaluated everywhere."""
    columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    x, y = project(homography, columns, rows)
    instance = np.zeros(shape, int)
    for number, (_, kind, member) in enumerate(in_order(members), start=1):
        instance[kind.inside(member, kind.relief(member, x, y))] = number
    return instance


def aimed(*distance_and_width, **turns):
    """Return a camera whose axis meets the origin, whatever its tilt."""
    view = View(0.0, 0.0, *distance_and_width, **turns)
    x, y = project(pixel_to_plane(view, (2, 2)), 1.0, 1.0)
    return dataclasses.replace(view, x_mm=-float(x), y_mm=-float(y))


UPRIGHT = aimed(165.7, 16.0)
TILTED = aimed(120.0, 16.0, roll_rad=0.7, tilt_x_rad=-0.36, tilt_y_rad=-0.24)
GRAZING = aimed(20.0, 16.0, roll_rad=-0.3, tilt_x_rad=0.98)


@pytest.mark.parametrize("view", [UPRIGHT, TILTED, GRAZING], ids=["upright", "tilted", "grazing"])
def test_a_raster_equals_its_points(view):
    members, shape = some(), (150, 180)
    homography = pixel_to_plane(view, shape)
    raster = rasterize(members, homography, shape)
    expected = by_points(members, homography, shape)
    np.testing.assert_array_equal(raster.instance, expected)
    np.testing.assert_array_equal(raster.mask, expected > 0)
    assert raster.instance.dtype == np.uint16
    assert len(np.unique(expected)) > 4


def test_a_defect_that_reaches_behind_the_camera_is_seen_where_it_is():
    # The camera stands upon a bump of 300 mm and looks ahead along it.
    view, shape = View(0.0, 0.0, 30.0, 20.0, tilt_x_rad=1.0), (60, 80)
    members = {
        "bump": [Bump((0.0, 100.0), 300.0, 1.0, 0.0, 9000.0)],
        "scratch": [Scratch((5.0, -900.0), (-5.0, 900.0), (3.0, 9.0), 600.0, 90.0, (0, 1, 0), 0.4)],
        "dent": [Dent((0.0, -200.0), 3.0, (), 90.0, 4.0, 0.4, ())],
    }
    homography = pixel_to_plane(view, shape)
    raster = rasterize(members, homography, shape)
    np.testing.assert_array_equal(raster.instance, by_points(members, homography, shape))
    assert set(np.unique(raster.instance)) == {1, 3}


def test_where_defects_overlap_the_later_is_labelled():
    round_one = [Bump((x, 0.0), 1.0, 1.0, 0.0, 20.0) for x in (0.0, 0.5, 40.0)]
    members = {"dent": [Dent((0.0, 0.0), 0.2, (), 20.0, 4.0, 0.4, ())], "bump": round_one}
    raster = rasterize(members, axis_aligned((-1.0, -1.0), 0.05), (40, 40))
    assert raster.instance[20, 30] == 2
    assert raster.instance[20, 5] == 1
    assert raster.instance[20, 20] == 4
    assert 3 not in raster.instance


def test_no_defects_leave_no_trace():
    raster = rasterize({"bump": []}, axis_aligned((0.0, 0.0), 0.1), (7, 9))
    assert raster.mask.shape == (7, 9)
    assert not raster.mask.any()
    assert not raster.instance.any()


def test_what_cannot_be_rasterized_is_named():
    with pytest.raises(ValueError, match=r"^pixel_to_surface: singular"):
        rasterize(some(), np.zeros((3, 3)), (4, 4))
    many = [Bump((0.0, 0.0), 1.0, 1.0, 0.0, 20.0)] * 65536
    with pytest.raises(ValueError, match=r"^defects: 65536, expected at most 65535"):
        rasterize({"bump": many}, axis_aligned((0.0, 0.0), 0.1), (4, 4))


@pytest.mark.parametrize("angle", [0.0, 0.03, -2.0])
def test_slopes_on_a_map_are_those_of_the_points(angle):
    members, window = some(), Window(-5.0, -4.0, 0.05, (150, 200))
    rng = np.random.default_rng(1)
    before = rng.standard_normal((2, *window.shape), dtype=np.float32) * np.float32(0.05)
    after = before.copy()
    add_slopes(members, after[0], after[1], window, angle)

    # The texels' places and a step along u and v, in plate coordinates.
    u, v = np.meshgrid(*window.centres())
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = cos * u - sin * v, sin * u + cos * v
    expected = np.zeros_like(before, np.float64)
    for _, kind, member in in_order(members):
        _, slope_x, slope_y = kind.relief(member, x, y)
        expected += [slope_x * cos + slope_y * sin, slope_y * cos - slope_x * sin]
    np.testing.assert_allclose(after - before, expected, atol=1e-6)
    changed = (expected != 0).any(axis=0)
    assert 0.05 < changed.mean() < 0.95
    np.testing.assert_array_equal(after[:, ~changed], before[:, ~changed])


def test_a_map_is_the_same_through_any_window():
    members = some()
    whole = np.zeros((2, 200, 240), np.float32)
    add_slopes(members, whole[0], whole[1], Window(-6.0, -5.0, 0.05, (200, 240)), 0.4)
    part = np.zeros((2, 60, 70), np.float32)
    add_slopes(members, part[0], part[1], Window(-3.0, -1.0, 0.05, (60, 70)), 0.4)
    np.testing.assert_allclose(part, whole[:, 80:140, 60:130], atol=1e-6)
    assert part.any()
