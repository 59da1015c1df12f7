"""Scores from distances, against loops that follow the definitions."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.check_detector import brushed, one_line, samples, small_context

from train.detectors.detector import Trainset, method
from train.detectors.sequential_patchcore.scoring.density import local_scales
from train.detectors.sequential_patchcore.scoring.neighbours import around, k_nearest
from train.detectors.sequential_patchcore.scoring.picture import picture_value
from train.detectors.sequential_patchcore.scoring.reweighting import weights


@st.composite
def clouds(draw):
    """Points and at least three members, far from the origin or not, some points on members."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dimension, offset = draw(st.integers(1, 6)), draw(st.sampled_from([0.0, 30.0]))
    members = rng.normal(offset, 1, (draw(st.integers(3, 12)), dimension)).astype(np.float32)
    points = rng.normal(offset, 2, (draw(st.integers(1, 15)), dimension)).astype(np.float32)
    points[: draw(st.integers(0, 2))] = members[0]
    return torch.from_numpy(points), torch.from_numpy(members)


def distance(a, b):
    return math.dist(a.tolist(), b.tolist())


@settings(deadline=None, max_examples=40)
@given(clouds(), st.integers(1, 3))
def test_the_nearest_members_are_those_of_all_distances(cloud, count):
    points, members = cloud
    distances, rows = k_nearest(points, members, count)
    for point, found, which in zip(points, distances, rows, strict=True):
        expected = sorted(distance(point, member) for member in members)[:count]
        assert found.tolist() == pytest.approx(expected, rel=1e-4, abs=1e-4)
        assert len(set(which.tolist())) == count
        own = [distance(point, members[row]) for row in which.tolist()]
        assert found.tolist() == pytest.approx(own, rel=1e-5, abs=1e-5)


@settings(deadline=None, max_examples=40)
@given(clouds(), st.integers(1, 2))
def test_a_scale_is_the_mean_distance_to_the_members_around(cloud, count):
    _, members = cloud
    rows = around(members, count)[1]
    expected = []
    for number, member in enumerate(members):
        assert number not in rows[number].tolist()
        others = [distance(member, other) for k, other in enumerate(members) if k != number]
        expected.append(sum(sorted(others)[:count]) / count)
    expected = np.array(expected) / np.mean(expected)
    assert local_scales(members, count).tolist() == pytest.approx(expected.tolist(), rel=1e-3)


@settings(deadline=None, max_examples=40)
@given(clouds(), st.integers(1, 2))
def test_weights_are_those_of_equation_seven(cloud, count):
    points, members = cloud
    distances, nearest = k_nearest(points, members, 1)
    near = around(members, count)[1]
    found = weights(points, distances[:, 0], nearest[:, 0], members, near)
    for point, row, weight in zip(points, nearest[:, 0].tolist(), found.tolist(), strict=True):
        own = math.exp(distance(point, members[row]))
        others = [math.exp(distance(point, members[other])) for other in near[row].tolist()]
        assert weight == pytest.approx(1 - own / (own + sum(others)), abs=1e-4)


def test_weights_of_long_distances_do_not_overflow():
    members = torch.tensor([[0.0], [1.0], [3.0]])
    found = weights(
        torch.tensor([[2000.0]]),
        torch.tensor([1997.0]),
        torch.tensor([2]),
        members,
        around(members, 2)[1],
    )
    assert 0.5 < found.item() < 1


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.floats(0, 1))
def test_the_value_of_a_picture_is_the_mean_of_its_highest_pixels(seed, height, width, share):
    pixels = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    count = max(1, round(share * pixels.size))
    expected = sorted(pixels.ravel().tolist())[-count:]
    assert picture_value(pixels, share) == pytest.approx(sum(expected) / count, abs=1e-6)
    assert picture_value(pixels, 0.0) == float(pixels.max())
    assert picture_value(pixels.T[::-1], share) == picture_value(pixels, share)


@pytest.fixture(scope="module")
def learned():
    """A detector, and the same one scoring otherwise."""
    known = method("sequential_patchcore")
    pictures = samples(range(3))
    detector = known.load()(known.settings(size=40, epochs=1), small_context())
    detector.fit([Trainset("cell", pictures)])

    def scoring(**options):
        chosen = replace(detector.settings, **options)
        return known.load()(chosen, detector.context, detector.coreset, detector.extractor)

    return detector, scoring


def test_each_way_of_scoring_shows_in_a_picture(learned):
    plain, scoring = learned
    picture = brushed(9)
    (before,) = plain.score([picture])
    assert before.value == float(before.map.max())
    distances = before.detail["distances"]
    for options in ({"neighbours": 3}, {"reweighting": 4}, {"density": 3}):
        (after,) = scoring(**options).score([picture])
        assert not np.array_equal(after.map, before.map)
        assert np.array_equal(after.detail["distances"], distances)
        assert after.value == float(after.map.max())
    assert scoring(neighbours=3).score([picture])[0].map.mean() > before.map.mean()
    assert scoring(reweighting=4).score([picture])[0].map.max() < before.map.max()
    (shared,) = scoring(top_share=0.1).score([picture])
    assert np.array_equal(shared.map, before.map)
    assert shared.value == pytest.approx(np.sort(before.map.ravel())[-1075:].mean(), rel=1e-3)


def test_more_members_than_there_are_count_as_all(learned):
    _, scoring = learned
    for options in ({"neighbours": 1000}, {"reweighting": 1000}, {"density": 1000}):
        assert np.isfinite(scoring(**options).score([brushed(9)])[0].value)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"neighbours": 0}, "k.neighbours: 0, expected at least 1"),
        ({"density": -1}, "k.density: -1, expected at least 0"),
        ({"top_share": 1.5}, "k.top_share: 1.5, expected 0 to 1"),
    ],
)
def test_numbers_out_of_range_are_one_line(options, line):
    known = method("sequential_patchcore").settings(**options)
    assert one_line(lambda: known.validate("k")) == line
