"""Ranges, draws and streams of random numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stainless.ranges import bounds, check_range, within
from stainless.streams import Draw, Stream, seed_sequence

SEEDS = st.integers(0, 2**63 - 1)


def draw(seed=1, sample=0, stream=Stream.LIGHT, *more):
    return Draw(seed_sequence(seed, sample, stream, *more))


def test_stream_numbers_are_part_of_what_a_seed_means():
    expected = "TEXTURE METAL IMPURITY LIGHT CAMERA SENSOR CYCLES DEFECT AUGMENTATION SPLIT"
    assert [stream.name for stream in sorted(Stream)][:10] == expected.split()
    assert [int(stream) for stream in sorted(Stream)] == list(range(len(Stream)))


@given(SEEDS)
def test_no_two_streams_are_alike(seed):
    states = {
        tuple(seed_sequence(seed, sample, stream, *more).generate_state(4))
        for sample in range(3)
        for stream in Stream
        for more in ((), (0,), (1,))
    }
    assert len(states) == 3 * len(Stream) * 3


@given(SEEDS, st.floats(-100, 100), st.floats(0, 100))
def test_a_constant_consumes_what_a_range_does(seed, low, width):
    one, other = draw(seed), draw(seed)
    drawn = one((low, low + width))
    assert low <= drawn <= low + width
    assert other(low) == low
    assert one.around(3.0) == other.around(3.0)
    assert abs(one.around((1.0, 2.0))) <= 2
    assert abs(other.around(0.0)) == 0
    assert one.seed() == other.seed()
    assert 0 <= one.seed() < 2**31


def test_draws_fill_their_range_evenly():
    source = draw()
    numbers = np.array([source((2.0, 6.0)) for _ in range(4000)])
    # The mean of n uniform numbers strays by width / sqrt(12 n) = 0.018.
    assert abs(numbers.mean() - 4) < 0.08
    assert abs(numbers.std() - 4 / math.sqrt(12)) < 0.05
    around = np.array([source.around(5.0) for _ in range(4000)])
    assert abs(around.mean()) < 0.2
    assert around.min() < -4.9
    assert around.max() > 4.9


def test_bounds_and_within_by_hand():
    assert bounds(3) == (3.0, 3.0)
    assert bounds((1, 2)) == (1.0, 2.0)
    assert within((2.0, 4.0), [0.0, 0.5, 0.75]).tolist() == [2.0, 3.0, 3.5]


@pytest.mark.parametrize(
    ("value", "limits", "message"),
    [
        ((2.0, 1.0), {}, "low <= high"),
        (math.nan, {}, "finite"),
        ((0.0, math.inf), {}, "finite"),
        (0.0, {"above": 0.0}, "above 0"),
        ((0.0, 1.0), {"above": 0.0}, "above 0"),
        ((-0.1, 1.0), {"least": 0.0, "most": 2.0}, r"within \[0, 2\]"),
        (3.0, {"least": 0.0, "most": 2.0}, r"within \[0, 2\]"),
    ],
)
def test_a_bad_range_names_its_key(value, limits, message):
    with pytest.raises(ValueError, match=rf"^a\.key: .*{message}"):
        check_range("a.key", value, **limits)


def test_limits_themselves_are_allowed():
    check_range("k", (0.0, 2.0), 0.0, 2.0)
    check_range("k", 1.0)
