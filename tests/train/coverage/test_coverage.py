"""Coverage of pictures by members, against brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stainless.dataset.sample import ArraySample
from train.coverage.certificate import Certificate
from train.coverage.coverage import AROUND, measure
from train.coverage.interval import share_interval
from train.coverage.sheet import COLUMNS, sheet
from train.detectors.covering import Radius
from train.patch_grid import PatchGrid


def at_most(count, total, share):
    """Return the probability of no more than `count` of `total`."""
    terms = (math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(count + 1))
    return sum(terms)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 60), st.data())
def test_ends_of_the_interval_are_where_the_tails_are_small(total, data):
    count = data.draw(st.integers(0, total))
    low, high = share_interval(count, total, 0.9)
    assert low <= count / total <= high
    assert (low == 0) == (count == 0) and (high == 1) == (count == total)
    if count:
        assert 1 - at_most(count - 1, total, low) == pytest.approx(0.05)
    if count < total:
        assert at_most(count, total, high) == pytest.approx(0.05)


class Greys:
    """Patches are blocks of 8 pixels, and their distance is their largest grey."""

    patch_grid = PatchGrid(3.5, 8)

    def member_distances(self, image):
        rows, columns = image.shape[0] // 8, image.shape[1] // 8
        blocks = image[: rows * 8, : columns * 8, 0].reshape(rows, 8, columns, 8)
        return blocks.max(axis=(1, 3)).astype(np.float32)


def pictures(seeds):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        image = np.zeros((40, 56, 3), np.uint8)
        image[4::8, 4::8] = rng.integers(0, 200, (5, 7, 1))
        yield ArraySample.nominal(f"{seed}", image)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=6, unique=True), st.integers(0, 200))
def test_what_is_counted_is_what_there_is(seeds, radius):
    found = measure(Greys(), pictures(seeds), radius, shown=3)
    greys = [image.load()[4::8, 4::8, 0] for image in pictures(seeds)]
    assert (found.patches, found.pictures) == (35 * len(seeds), len(seeds))
    assert found.covered == sum(int((each <= radius).sum()) for each in greys)
    assert found.whole == sum(bool((each <= radius).all()) for each in greys)
    worst = sorted((-int(each.max()), str(seed)) for each, seed in zip(greys, seeds, strict=True))
    assert [(-place.distance, place.name) for place in found.least] == worst[:3]
    for place, (_, name) in zip(found.least, worst, strict=False):
        x, y, width, height = place.box
        grey = greys[seeds.index(int(name))]
        assert grey[y // 8, x // 8] == grey.max() and (width, height) == (8, 8)
        assert place.shown.shape == (AROUND, AROUND, 3)
        assert place.shown[20:28, 20:28].max() == grey.max()


def test_the_hash_is_of_pixels_whatever_pictures_are_named():
    one, other = ([*pictures(seeds)] for seeds in ([1, 2], [1, 2]))
    renamed = [ArraySample.nominal(f"x{n}", sample.load()) for n, sample in enumerate(other)]
    digest = measure(Greys(), one, 10).sha256
    assert measure(Greys(), renamed, 10).sha256 == digest
    assert measure(Greys(), one[::-1], 10).sha256 != digest


@pytest.mark.parametrize(("asked", "accepted"), [(None, None), (0.0, True), (1.0, False)])
def test_a_certificate_accepts_or_refuses(asked, accepted):
    found = measure(Greys(), pictures([3]), 100)
    record = Certificate("0", "m", "c", "s", Radius(100, "", None), found, asked).record()
    assert record["accepted"] is accepted
    assert record["patches"]["share"] == found.covered / 35
    low, high = record["patches"]["interval"]
    assert low < record["patches"]["share"] < high


@pytest.mark.parametrize("count", [1, COLUMNS, COLUMNS + 1])
def test_the_sheet_has_a_cell_for_each_place(count):
    found = measure(Greys(), pictures(range(count)), 10)
    one = sheet(found.least[:1], 10).shape
    rows, columns = -(-count // COLUMNS), min(count, COLUMNS)
    assert sheet(found.least, 10).shape == (rows * one[0], columns * one[1], 3)
