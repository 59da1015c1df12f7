"""Pixels to picture to product to runs, against counting one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from stainless.errors import InputError
from train.metrics import anomalous
from train.verdicts.aggregation import (
    k_of_n,
    picture_rejected,
    product_rejected,
    rejecting_areas,
    verdict,
)

few = st.sampled_from([-1.0, 0.0, 0.1, 0.25, 1.0])


@given(
    st_numpy.arrays(
        np.float32, st_numpy.array_shapes(min_dims=2, max_dims=2), elements=few.map(np.float32)
    ),
    few,
)
def test_a_picture_is_rejected_by_any_pixel(scores, threshold):
    rejected = any(float(score) >= float(np.float32(threshold)) for score in scores.ravel())
    assert picture_rejected(scores, threshold) is rejected
    assert anomalous(scores, threshold).any() == rejected


def test_a_threshold_is_compared_as_a_pixel_is():
    # 0.1 as float64 is smaller than as float32.
    assert anomalous(np.full((1, 1), 0.3, np.float32), 0.3).all()


names = st.sampled_from(["cap", "neck", "body", "base"])


@given(st.dictionaries(names, few, min_size=1), st.data())
def test_a_product_is_rejected_by_any_area(scores, data):
    thresholds = {name: data.draw(few) for name in scores} | {"unseen": -9.0}
    expected = [name for name in scores if scores[name] >= thresholds[name]]
    assert rejecting_areas(scores, thresholds) == expected
    assert product_rejected(scores, thresholds) is bool(expected)
    assert verdict(bool(expected)) == ("anomalous" if expected else "nominal")


def test_an_area_without_a_threshold():
    with pytest.raises(InputError, match="area 'neck' has no threshold; there are: cap"):
        product_rejected({"cap": 1.0, "neck": 2.0}, {"cap": 3.0})


@given(
    st_numpy.arrays(bool, st_numpy.array_shapes(min_dims=1, max_dims=3, max_side=5)),
    st.integers(1, 5),
)
def test_k_of_n(rejected, k):
    if k > len(rejected):
        with pytest.raises(InputError, match=f"k is {k}, expected 1 to {len(rejected)}"):
            k_of_n(rejected, k)
        return
    found = k_of_n(rejected, k)
    assert found.shape == rejected.shape[1:]
    for place in np.ndindex(found.shape):
        assert found[place] == (sum(run[place] for run in rejected) >= k)
    # More runs that must agree never reject more.
    if k > 1:
        assert not (found & ~k_of_n(rejected, k - 1)).any()


def test_no_run_and_no_k():
    for runs, k in ((np.zeros((0, 2), bool), 1), (np.zeros((3, 2), bool), 0)):
        with pytest.raises(InputError, match="k is"):
            k_of_n(runs, k)
