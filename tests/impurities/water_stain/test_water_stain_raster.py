"""The picture of the stains against their evaluation at points."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impurities.water_stain.ranges import HeterogeneityRanges, WaterStainRanges, sample_stains
from impurities.water_stain.stain import WaterStain, evaluate, rasterize
from stainless.homography import axis_aligned, project

CROWDED = WaterStainRanges(jitter=1.0, density=1.0, radius_mm=(1.0, 5.0), amplitude_mm=(0.3, 0.9))


def pixel_centers(origin, pixel, shape):
    x = origin[0] + (np.arange(shape[1]) + 0.5) * pixel
    y = origin[1] + (np.arange(shape[0]) + 0.5) * pixel
    return x[None, :], y[:, None]


def supersampled(stains, origin, pixel, shape, reflectance, k):
    """The mean ratio over k² points in every pixel, by evaluation at points."""
    fine = evaluate(
        stains, *pixel_centers(origin, pixel / k, (shape[0] * k, shape[1] * k)), reflectance
    )
    blocks = (fine.reflectance / reflectance).reshape(shape[0], k, shape[1], k)
    return blocks.mean(axis=(1, 3))


def near_an_outline(instance):
    """Pixels that have another instance among their eight neighbours."""
    padded = np.pad(instance, 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    return (windows != instance[:, :, None, None]).any(axis=(2, 3))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32),
    st.floats(0.04, 0.5),
    st.floats(-25, 25),
    st.floats(-25, 25),
    st.sampled_from([1, 2, 3, 4]),
)
def test_equals_the_evaluation_at_pixel_centres(seed, pixel, x0, y0, supersample):
    stains = sample_stains(CROWDED, (-20.0, -20.0, 20.0, 20.0), np.random.default_rng(seed))
    shape = (83, 101)
    raster = rasterize(stains, axis_aligned((x0, y0), pixel), shape, 0.7, supersample)
    field = evaluate(stains, *pixel_centers((x0, y0), pixel, shape), 0.7)
    assert np.array_equal(raster.instance, field.instance)
    assert np.array_equal(raster.mask, field.mask)
    away = ~near_an_outline(field.instance)
    # The border's neighbours are not in the picture; an outline may pass between them.
    away[[0, -1]] = away[:, [0, -1]] = False
    np.testing.assert_allclose(
        raster.ratio[away], (field.reflectance / 0.7)[away], rtol=0, atol=1e-7
    )
    assert (raster.ratio[away & ~field.mask] == 1).all()


@pytest.mark.parametrize("modes", [1, 3])
def test_the_ratio_is_the_mean_over_the_pixel(modes):
    ranges = dataclasses.replace(
        CROWDED, heterogeneity=HeterogeneityRanges(modes=modes, rings=modes - 1)
    )
    stains = sample_stains(ranges, (0.0, 0.0, 20.0, 20.0), np.random.default_rng(4))
    where = ((1.0, 2.0), 0.0652, (140, 150))  # quarter resolution, the picture cuts stains
    raster = rasterize(stains, axis_aligned(*where[:2]), where[2], 0.7, supersample=3)
    same = supersampled(stains, *where, 0.7, 3)
    outline = near_an_outline(raster.instance)
    assert outline.sum() > 500
    np.testing.assert_allclose(raster.ratio[outline], same[outline], rtol=0, atol=1e-6)
    # Where the centre stands for the whole pixel it does so to half a grey level.
    assert abs(raster.ratio - same)[~outline].max() < 0.5 / 255
    # 3² points miss the true mean of an edge pixel by little: a step of 0.6 at most, 1/9 resolved.
    exact = supersampled(stains, *where, 0.7, 9)
    assert abs(raster.ratio - exact).max() < 0.1
    assert abs(raster.ratio - exact).mean() < 1e-3


def test_a_window_of_a_larger_picture_is_the_same_picture():
    # Multiples of a power of two, so that pixel centres agree exactly between the two.
    stains = sample_stains(CROWDED, (0.0, 0.0, 20.0, 20.0), np.random.default_rng(7))
    whole = rasterize(stains, axis_aligned((0.0, 0.0), 0.0625), (320, 320), 0.7)
    part = rasterize(stains, axis_aligned((3.75, 6.25), 0.0625), (130, 90), 0.7)
    window = np.s_[100:230, 60:150]
    assert np.array_equal(part.instance, whole.instance[window])
    np.testing.assert_allclose(part.ratio, whole.ratio[window], rtol=0, atol=2e-7)


def test_ratio_and_mask_tell_of_the_same_stain():
    stains = sample_stains(WaterStainRanges(), (0.0, 0.0, 20.0, 20.0), np.random.default_rng(8))
    raster = rasterize(stains, axis_aligned((0.0, 0.0), 0.05), (400, 400), 0.7)
    assert raster.ratio.dtype == np.float32
    assert raster.instance.dtype == np.uint16
    assert np.array_equal(raster.mask, raster.instance > 0)
    assert set(np.unique(raster.instance)) == set(range(len(stains) + 1))
    changed = raster.ratio != 1
    edge = near_an_outline(raster.instance)
    # Outside the mask only pixels that touch the outline change, and no stain here brightens.
    assert not (changed & ~raster.mask & ~edge).any()
    assert raster.ratio.max() == 1
    # Near a centre d̂^γ·α vanishes below the precision of float32; nearly all of a stain shows.
    assert changed[raster.mask].mean() > 0.95


def test_hand_computed_pixel():
    # No perturbation, r = 2, γ = 1, α = -0.5, R = 0.5: the ratio is 1 - d/2 inside.
    stain = WaterStain((0.0, 0.0), 2.0, 0.0, 1.0, 1.0, -0.5, (0.0, 0.0))
    raster = rasterize([stain], axis_aligned((-4.0, -0.5), 1.0), (1, 8), 0.5, supersample=1)
    # Pixel centres at x = -3.5, -2.5 ... 3.5 and y = 0.
    assert raster.ratio.tolist() == [[1, 1, 0.25, 0.75, 0.75, 0.25, 1, 1]]
    assert raster.mask.tolist() == [[False, False, True, True, True, True, False, False]]
    # Two points per edge halve the outermost inner pixel, x from 1 to 2, y from -0.5 to 0.5:
    # points at (1.25, ±0.25) and (1.75, ±0.25), all within r = 2.
    fine = rasterize([stain], axis_aligned((-4.0, -0.5), 1.0), (1, 8), 0.5, supersample=2)
    near, far = np.hypot(1.25, 0.25), np.hypot(1.75, 0.25)
    assert fine.ratio[0, 5] == pytest.approx(1 - (near + far) / 4, abs=1e-6)
    assert np.array_equal(fine.mask, raster.mask)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_pixels_halfway_between_two_centres_go_to_the_first(order):
    # Both of radius 3 around x = 0 and x = 4: the column at x = 2 is equally far from either.
    pair = [WaterStain((x, 0.0), 3.0, 0.0, 1.0, 1.0, -0.5, (0.0, 0.0)) for x in (0.0, 4.0)]
    stains = [pair[k] for k in order]
    where = ((-3.5, -3.5), 1.0, (7, 11))
    raster = rasterize(stains, axis_aligned(*where[:2]), where[2])
    assert raster.instance[3].tolist() == [
        *[0, *[order.index(0) + 1] * 4],
        *[1, *[order.index(1) + 1] * 4, 0],
    ]
    assert np.array_equal(raster.instance, evaluate(stains, *pixel_centers(*where)).instance)


def test_stains_elsewhere_leave_the_picture_untouched():
    stains = sample_stains(CROWDED, (0.0, 0.0, 20.0, 20.0), np.random.default_rng(9))
    for origin in ((1000.0, 0.0), (0.0, -1000.0)):
        raster = rasterize(stains, axis_aligned(origin, 0.1), (20, 30))
        assert (raster.ratio == 1).all()
        assert not raster.instance.any()
    assert rasterize([], axis_aligned((0.0, 0.0), 0.1), (2, 3)).ratio.shape == (2, 3)


def test_a_stain_smaller_than_a_pixel_is_no_accident():
    speck = WaterStain((0.5, 0.5), 0.1, 0.0, 1.0, 1.0, -0.5, (0.0, 0.0))
    raster = rasterize([speck], axis_aligned((0.0, 0.0), 1.0), (3, 3), 1.0, supersample=9)
    assert raster.instance.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert raster.ratio[0, 0] == 1 or 0.9 < raster.ratio[0, 0] < 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reflectance": 0.0}, "reflectance: 0.0, expected above 0"),
        ({"reflectance": 1.5}, "reflectance: 1.5"),
        ({"pixel_to_surface": np.zeros((3, 3))}, "pixel_to_surface: singular"),
        ({"supersample": 0}, "supersample: 0"),
    ],
)
def test_refuses_what_it_cannot_paint(changes, message):
    arguments = {"pixel_to_surface": np.eye(3), "shape": (4, 4)} | changes
    with pytest.raises(ValueError, match=message):
        rasterize([], **arguments)


def test_a_tilted_and_turned_picture_equals_the_evaluation_at_its_pixel_centres():
    stains = sample_stains(CROWDED, (-20.0, -20.0, 20.0, 20.0), np.random.default_rng(10))
    homography = np.array([[0.09, -0.03, -8.0], [-0.03, -0.09, 9.0], [1e-4, -2e-4, 1.0]])
    raster = rasterize(stains, homography, (120, 160), 0.7)
    x, y = project(homography, np.arange(160)[None, :] + 0.5, np.arange(120)[:, None] + 0.5)
    field = evaluate(stains, x, y, 0.7)
    assert np.array_equal(raster.instance, field.instance)
    assert len(np.unique(raster.instance)) > 4
