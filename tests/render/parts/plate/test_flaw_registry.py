"""The flaws of a plate's metal there are, each tried on what all of them promise and seen."""

import dataclasses

import numpy as np
import pytest
from support import check_flaw
from support.check_flaw import drawn
from support.plates import render_radiance
from tiny_scenes import scene

from render.camera import View, pixel_to_plane
from render.cycles.tracer import Sampling
from render.parts.plate.defects import add_slopes, rasterize
from render.parts.plate.registry import FLAWS
from render.parts.plate.stage import PlateMap
from render.parts.plate.surface.parallel_texture import Window
from render.plan import plan_sample
from stainless.homography import project


@pytest.mark.parametrize("name", FLAWS)
@pytest.mark.parametrize("check", check_flaw.CHECKS, ids=lambda check: check.__name__)
def test_every_kind(name, check):
    check(FLAWS[name])


def test_those_known_keep_their_numbers_and_are_labelled_in_this_order():
    kinds = {name: (kind.index, kind.stream) for name, kind in FLAWS.items()}
    assert list(kinds.items())[:3] == [
        ("bump", (101, 0)),
        ("dent", (102, 1)),
        ("scratch", (103, 2)),
    ]


@pytest.mark.parametrize("number", ["index", "stream", "layer"])
def test_no_two_share_a_number(number):
    numbers = [getattr(kind, number) for kind in FLAWS.values()]
    assert len(set(numbers)) == len(numbers)


def test_indices_stay_above_those_of_impurities_and_fit_a_byte():
    assert all(101 <= kind.index <= 255 for kind in FLAWS.values())


@pytest.mark.parametrize("name", FLAWS)
def test_cycles_shows_it_inside_its_mask_and_nowhere_far_from_its_box(name):
    tiny = scene()
    sample = plan_sample(tiny, 0).part
    kind = FLAWS[name]
    # Where the light falls off, a ring's mean radius off the axis, nothing is over-exposed.
    placed = {"centers_mm": [(8.0, 0.0)]}
    # A scratch of the size of the picture.
    short = {"length_mm": 3.0} if hasattr(kind.ranges(), "length_mm") else {}
    members = {name: drawn(kind, **placed, **short)}
    window, shape = Window(-1.0, -8.0, 0.02, (800, 900)), (80, 96)
    view = View(8.0, 0.0, 165.7, 12.0)
    light = dataclasses.replace(sample.light, x_mm=0.0, y_mm=0.0)

    def picture(members):
        slopes = np.zeros((2, *window.shape), np.float32)
        add_slopes(members, slopes[0], slopes[1], window, 0.0)
        normals = np.stack([-slopes[0], -slopes[1], np.ones(window.shape, np.float32)], axis=-1)
        corner = (window.u_mm + 900 * 0.02, window.v_mm + 800 * 0.02)
        plate = PlateMap(normals, (window.u_mm, window.v_mm), corner, 0.0)
        return render_radiance(
            tiny.plate.size_mm, sample.metal, plate, light, view, shape, Sampling(8, False, 1, 1)
        )

    clean, damaged = picture({}), picture(members)
    homography = pixel_to_plane(view, shape)
    mask = rasterize(members, homography, shape).mask
    assert mask.any()
    columns, rows = np.meshgrid(np.arange(96) + 0.5, np.arange(80) + 0.5)
    x, y = project(homography, columns, rows)
    x0, y0, x1, y1 = kind.box(members[name][0])
    # A pixel, a texel and what the map's interpolation reaches.
    far = np.maximum(np.maximum(x0 - x, x - x1), np.maximum(y0 - y, y - y1)) > 0.25
    assert far.mean() > 0.2
    np.testing.assert_array_equal(damaged[far], clean[far])
    change = np.abs(damaged - clean)
    assert change[mask].mean() > 0.02 * clean[mask].mean()
    assert change[mask].mean() > 3 * change[~mask].mean()
