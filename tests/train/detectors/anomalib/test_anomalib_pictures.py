"""Pictures on their way into anomalib's networks and back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stainless.errors import InputError
from train.detectors.anomalib.pictures import IMAGENET_MEAN, IMAGENET_STD, Preparation

SIDES = st.integers(32, 150)


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@given(SIDES, SIDES, st.integers(32, 100), st.sampled_from([1, 14, 32]))
@settings(max_examples=40, deadline=None)
def test_a_picture_keeps_its_shape_and_its_map_its_pixels(height, width, side, multiple):
    preparation = Preparation(side, multiple=multiple)
    resized = preparation.resized(noise(height, width), "cpu")
    rows, columns = resized.shape[-2:]
    assert min(rows, columns) == side
    assert abs(rows / height - columns / width) <= 0.5 / min(height, width) + 1e-9
    padded = preparation.padded(resized)
    assert padded.shape[-2] % multiple == padded.shape[-1] % multiple == 0
    assert torch.equal(padded[..., :rows, :columns], resized)
    # What lies in the continued margin never reaches the map.
    found = torch.full((1, 1, *padded.shape[-2:]), 9.0)
    found[..., :rows, :columns] = 2.0
    own = preparation.own_pixels(found, height, width)
    assert own.shape == (height, width) and own.dtype == np.float32
    np.testing.assert_allclose(own, 2.0, rtol=1e-6)


@given(SIDES, SIDES)
@settings(max_examples=20, deadline=None)
def test_without_a_side_the_pixels_stay(height, width):
    preparation = Preparation(None)
    picture = noise(height, width)
    values = preparation.resized(picture, "cpu")[0].permute(1, 2, 0).numpy()
    expected = (picture / np.float32(255) - np.float32(IMAGENET_MEAN)) / np.float32(IMAGENET_STD)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5)
    found = torch.rand(1, 1, height, width)
    assert np.array_equal(preparation.own_pixels(found, height, width), found[0, 0].numpy())


def test_the_longer_side_is_meant_where_a_square_is_filled():
    preparation = Preparation(64, longer=True)
    assert preparation.shape(100, 200) == (32, 64)
    assert preparation.shape(300, 3) == (64, 1)


@pytest.mark.parametrize("side", [None, 20])
def test_too_small_a_picture_is_one_line(side):
    with pytest.raises(InputError, match=r"picture of 50x30 pixels.* is too small, expected 32"):
        Preparation(side).shape(30, 50)
