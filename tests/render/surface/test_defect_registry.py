"""Whatever defect is registered can be drawn, written as JSON, labelled and seen."""

import dataclasses
import json
import math

import numpy as np
import pytest
from tiny_scenes import scene

from render.camera import View, pixel_to_plate
from render.cycles.radiance import Sampling, render_radiance
from render.cycles.stage import PlateMap
from render.plan import plan_sample
from render.surface.defects import add_slopes, rasterize
from render.surface.parallel_texture import Window
from render.surface.registry import DEFECTS
from stainless.homography import axis_aligned, project
from stainless.ranges import bounds

AREA = (-10.0, -10.0, 10.0, 10.0)
each_kind = pytest.mark.parametrize("name", DEFECTS)


def drawn(name, seed=3, **fields):
    kind = DEFECTS[name]
    return kind.sample(
        kind.ranges(**{"per_plate": 3.0, **fields}), AREA, np.random.default_rng(seed)
    )


@each_kind
def test_a_registered_defect_is_drawn_by_its_seed_and_survives_json(name):
    DEFECTS[name].validate(DEFECTS[name].ranges())
    assert drawn(name) == drawn(name) != drawn(name, seed=4)
    text = json.dumps([dataclasses.asdict(one) for one in drawn(name)])
    assert [DEFECTS[name].from_dict(fields) for fields in json.loads(text)] == drawn(name)


@each_kind
def test_its_mask_is_there_and_inside_its_box(name):
    kind = DEFECTS[name]
    for one in drawn(name):
        x0, y0, x1, y1 = kind.box(one)
        margin = 0.1 * max(x1 - x0, y1 - y0)
        step = (max(x1 - x0, y1 - y0) + 2 * margin) / 500
        homography = axis_aligned((x0 - margin, y0 - margin), step)
        raster = rasterize({name: [one]}, homography, (500, 500))
        assert raster.mask.sum() > 50
        rows, columns = np.nonzero(raster.mask)
        x, y = project(homography, columns + 0.5, rows + 0.5)
        assert x0 <= x.min() < x.max() <= x1
        assert y0 <= y.min() < y.max() <= y1


def limit(kind, field, factor):
    """Return the default range with both ends scaled until the kind's own check refuses."""
    low, high = bounds(getattr(kind.ranges(), field))
    for power in np.linspace(factor, 0, 40):
        value = (low * 10**power, high * 10**power)
        try:
            kind.validate(kind.ranges(**{field: value}))
        except ValueError:
            continue
        return value
    raise AssertionError(f"the default of {field} is refused")


@each_kind
@pytest.mark.parametrize("power", [-4, 4], ids=["tiny", "huge"])
@pytest.mark.filterwarnings("error")
def test_extreme_parameters_stay_finite(name, power):
    kind = DEFECTS[name]
    fields = [
        field.name
        for field in dataclasses.fields(kind.ranges)
        if isinstance(getattr(kind.ranges(), field.name), tuple) and field.name != "per_plate"
    ]
    extremes = {field: limit(kind, field, power) for field in fields}
    for chosen in [extremes, *({field: value} for field, value in extremes.items())]:
        for one in drawn(name, **chosen):
            x0, y0, x1, y1 = kind.box(one)
            assert all(map(math.isfinite, (x0, y0, x1, y1)))
            # From the box's own grid, where it is large, to points far off and its very centre.
            x = np.concatenate([np.linspace(x0, x1, 60), [-1e6, (x0 + x1) / 2, 1e6]])
            y = np.concatenate([np.linspace(y0, y1, 60), [-1e6, (y0 + y1) / 2, 1e6]])
            relief = kind.relief(one, *np.meshgrid(x, y))
            assert all(np.isfinite(part).all() for part in relief)
            window = Window(-1.0, -1.0, 0.02, (100, 100))
            slopes = np.zeros((2, 100, 100), np.float32)
            add_slopes({name: [one]}, slopes[0], slopes[1], window, 0.3)
            assert np.isfinite(slopes).all()


@each_kind
def test_cycles_shows_it_inside_its_mask_and_nowhere_far_from_its_box(name):
    tiny = scene()
    sample = plan_sample(tiny, 0)
    kind = DEFECTS[name]
    # Where the light falls off, a ring's mean radius off the axis, nothing is over-exposed.
    placed = {"centers_mm": [(8.0, 0.0)]}
    # A scratch of the size of the picture.
    short = {"length_mm": 3.0} if hasattr(kind.ranges(), "length_mm") else {}
    members = {name: drawn(name, **placed, **short)}
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
    homography = pixel_to_plate(view, shape)
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
