"""Modes and rings: by hand, and absent when they are off."""

import dataclasses

import numpy as np
import pytest

from impurities.perlin import perlin2
from impurities.water_stain.heterogeneity import Heterogeneity, Ring
from impurities.water_stain.ranges import HeterogeneityRanges, WaterStainRanges, sample_stains
from impurities.water_stain.stain import WaterStain, evaluate, rasterize
from stainless.homography import axis_aligned

AREA = (0.0, 0.0, 30.0, 30.0)
PLAIN = WaterStain((0.0, 0.0), 10.0, 0.0, 1.0, 1.0, -0.4, (0.0, 0.0))


def with_inside(**fields):
    return [dataclasses.replace(PLAIN, heterogeneity=Heterogeneity(**fields))]


def test_hand_computed_ring():
    rings = (Ring(position=0.5, width=0.1, depth=-0.2),)
    x = np.array([2.0, 4.5, 5.0, 5.5, 7.0])
    field = evaluate(with_inside(rings=rings), x, 0.0, 0.9)
    # d̂ = x/10, so plain Algorithm 1 with γ = 1 gives 0.9 - 0.04·x; at d̂ = 0.45 and 0.55 the ring
    # is at half its width: -0.2·(1 - 1/4)² = -0.1125; at 0.5 it is -0.2; elsewhere nothing.
    expected = [0.82, 0.72 - 0.1125, 0.5, 0.68 - 0.1125, 0.62]
    np.testing.assert_allclose(field.reflectance, expected, atol=1e-12)


def test_modes_scale_alpha_where_the_noise_selects_them():
    scales = (0.25, 1.0)
    stains = with_inside(mode_scales=scales, mode_frequency_per_mm=0.3, mode_offset=(3.0, 7.0))
    x, y = np.random.default_rng(0).uniform(-7, 7, (2, 4000))
    before = 0.9
    change = evaluate(stains, x, y, before).reflectance - before
    plain = evaluate([PLAIN], x, y, before).reflectance - before
    scale = change / plain
    noise = perlin2(0.3 * x + 3.0, 0.3 * y + 7.0)
    # Far to either side of 0 one mode rules alone; between them the factor stays between the two.
    np.testing.assert_allclose(scale[noise < -0.2], 0.25, atol=1e-9)
    np.testing.assert_allclose(scale[noise > 0.2], 1.0, atol=1e-9)
    assert (noise < -0.2).sum() > 100
    assert (noise > 0.2).sum() > 100
    assert scale.min() >= 0.25 - 1e-9
    assert scale.max() <= 1.0 + 1e-9
    # Half-way, (0.25 + 1)/2, where the noise is 0: (10/3, 10/3) is a lattice point.
    middle = evaluate(stains, 10 / 3, 10 / 3, before).reflectance - before
    at_middle = evaluate([PLAIN], 10 / 3, 10 / 3, before).reflectance - before
    assert middle / at_middle == pytest.approx(0.625, abs=1e-6)


def test_off_is_the_plain_algorithm_bit_for_bit():
    plain = sample_stains(WaterStainRanges(), AREA, np.random.default_rng(5))
    assert all(stain.heterogeneity is None for stain in plain)
    neutral = [dataclasses.replace(stain, heterogeneity=Heterogeneity()) for stain in plain]
    x, y = np.random.default_rng(6).uniform(0, 30, (2, 5000))
    assert np.array_equal(
        evaluate(plain, x, y, 0.7).reflectance, evaluate(neutral, x, y, 0.7).reflectance
    )
    one, other = (
        rasterize(stains, axis_aligned((0, 0), 0.1), (300, 300), 0.7) for stains in (plain, neutral)
    )
    assert np.array_equal(one.ratio, other.ratio)


def test_switching_it_on_changes_nothing_else():
    plain = sample_stains(WaterStainRanges(), AREA, np.random.default_rng(5))
    ranges = WaterStainRanges(heterogeneity=HeterogeneityRanges(modes=3, rings=2))
    varied = sample_stains(ranges, AREA, np.random.default_rng(5))
    assert [dataclasses.replace(stain, heterogeneity=None) for stain in varied] == plain
    assert all(len(stain.heterogeneity.mode_scales) == 3 for stain in varied)
    assert all(len(stain.heterogeneity.rings) == 2 for stain in varied)
    x, y = np.random.default_rng(6).uniform(0, 30, (2, 5000))
    one, other = evaluate(plain, x, y, 0.7), evaluate(varied, x, y, 0.7)
    assert np.array_equal(one.instance, other.instance)
    assert not np.array_equal(one.reflectance, other.reflectance)
    assert np.array_equal(one.reflectance[~one.mask], other.reflectance[~one.mask])


def test_one_more_ring_or_mode_keeps_those_before():
    def inside(modes, rings):
        ranges = WaterStainRanges(heterogeneity=HeterogeneityRanges(modes=modes, rings=rings))
        return [s.heterogeneity for s in sample_stains(ranges, AREA, np.random.default_rng(5))]

    for fewer, more in zip(inside(2, 2), inside(3, 3), strict=True):
        assert more.rings[:2] == fewer.rings
        assert more.mode_scales[:2] == fewer.mode_scales


def test_the_first_ring_lies_along_the_outline():
    ranges = WaterStainRanges(heterogeneity=HeterogeneityRanges(rings=2))
    for stain in sample_stains(ranges, AREA, np.random.default_rng(1)):
        edge, inner = stain.heterogeneity.rings
        assert edge.position + edge.width == pytest.approx(1.0)
        assert 0.45 <= inner.position <= 0.9
