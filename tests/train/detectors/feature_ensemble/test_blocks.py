"""Members to maps: even shares, components in bounded memory, places kept, weights told."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.threads import one_thread  # noqa: F401

from stainless.errors import InputError
from train.detectors.detector import PatchPlaces
from train.detectors.feature_ensemble import components
from train.detectors.feature_ensemble.blocks import individual, joint
from train.detectors.feature_ensemble.components import Covariance
from train.detectors.feature_ensemble.shares import shares
from train.detectors.feature_ensemble.transformation import Placed, resized


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


WIDTHS = st.lists(st.integers(1, 40), min_size=1, max_size=6)


@given(WIDTHS, st.integers(0, 100))
def test_shares_are_as_even_as_the_members_allow(widths, more):
    total = len(widths) + more
    given_maps = shares(total, widths)
    assert sum(given_maps) == min(total, sum(widths))
    assert all(1 <= own <= width for own, width in zip(given_maps, widths, strict=True))
    free = [own for own, width in zip(given_maps, widths, strict=True) if own < width]
    if free:
        assert max(free) - min(free) <= 1 and max(given_maps) <= max(free) + 1
        assert min(free) >= max(given_maps) - 1


def test_what_is_left_over_goes_to_the_members_after_the_first():
    assert shares(152, [152, 152]) == [76, 76]
    assert shares(152, [152, 152, 152]) == [50, 51, 51]
    assert shares(11, [20, 20, 20, 20]) == [2, 3, 3, 3]
    assert shares(12, [20, 2, 20]) == [5, 2, 5]


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 7),
    st.lists(st.integers(1, 30), min_size=1),
    st.data(),
)
def test_components_are_those_of_a_decomposition_of_all_vectors(seed, width, sizes, data):
    rng = np.random.default_rng(seed)
    offset = data.draw(st.sampled_from([0.0, 1e4]))
    batches = [rng.normal(offset, rng.uniform(0.1, 9, width), (n, width)) for n in sizes]
    covariance = Covariance(width)
    for batch in batches:
        covariance.add(batch)
    found, whole = covariance.components(), np.concatenate(batches)
    centred = whole - whole.mean(axis=0)
    values = np.zeros(width)
    singular = np.linalg.svd(centred, compute_uv=False)
    values[: len(singular)] = singular[:width] ** 2 / len(whole)
    np.testing.assert_allclose(found.mean, whole.mean(axis=0))
    np.testing.assert_allclose(found.variances, values, atol=1e-7 * max(values.max(), 1))
    np.testing.assert_allclose(found.axes.T @ found.axes, np.eye(width), atol=1e-9)
    projected = centred @ found.axes
    np.testing.assert_allclose(
        projected.T @ projected / len(whole), np.diag(values), atol=1e-6 * max(values.max(), 1)
    )


def test_large_batches_are_taken_in_pieces(monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    whole = Covariance(3)
    whole.add(vectors)
    monkeypatch.setattr(components, "CHUNK", 7)
    pieces = Covariance(3)
    pieces.add(vectors)
    assert pieces.count == whole.count == 50
    np.testing.assert_allclose(pieces.components().variances, whole.components().variances)


def placed(vectors, first=(0.0, 0.0), pitch=(1.0, 1.0)):
    return Placed(torch.as_tensor(vectors, dtype=torch.float32), PatchPlaces(first, pitch))


def ramp(rows, columns, first, pitch):
    """Return vectors that say where their patches lie."""
    down = first[0] + np.arange(rows) * pitch[0]
    across = first[1] + np.arange(columns) * pitch[1]
    return placed(np.stack(np.meshgrid(down, across, indexing="ij"), axis=2), first, pitch)


def test_maps_come_to_the_places_of_the_largest_grid():
    coarse = ramp(7, 9, (7.5, 7.5), (16.0, 16.0))
    fine = ramp(12, 17, (8.0, 9.0), (8.0, 7.0))
    np.testing.assert_allclose(resized(coarse, fine), fine.vectors, rtol=1e-5)
    assert resized(fine, fine) is fine.vectors


def pictures_of(*members):
    """Return four pictures of random features, each member with its width and spread."""
    rng = np.random.default_rng(0)
    return [
        [placed(spread * rng.normal(size=(5, 6, width))) for width, spread in members]
        for _ in range(4)
    ]


def test_a_member_with_all_its_maps_keeps_every_distance():
    pictures = pictures_of((6, 2.0))
    block = individual(pictures, [True], None, balance=False, key="x")
    before = pictures[0][0].vectors.flatten(0, 1)
    after = block.transformation(pictures[0]).flatten(0, 1)
    torch.testing.assert_close(torch.pdist(after), torch.pdist(before))
    (account,) = block.accounts
    assert (account.width, account.maps) == (6, 6)
    assert account.explained == pytest.approx(1) and account.weight == pytest.approx(1)


def test_each_member_has_its_share_and_the_same_spread():
    pictures = pictures_of((6, 100.0), (9, 0.01))
    block = individual(pictures, [True, False], None, balance=True, key="x")
    maps = torch.cat([block.transformation(members).flatten(0, 1) for members in pictures])
    assert maps.shape == (120, 6) and block.spread == pytest.approx(1)
    spreads = maps.std(dim=0, correction=0)
    assert spreads[:3].mean() == pytest.approx(1, rel=1e-4)
    assert spreads[3:].mean() == pytest.approx(1, rel=1e-4)
    plain = individual(pictures, [True, False], None, balance=False, key="x")
    spreads = plain.transformation(pictures[0]).flatten(0, 1).std(dim=0)
    assert spreads[:3].min() > 1000 * spreads[3:].max()


def test_a_member_that_is_always_the_same_stays_so():
    pictures = pictures_of((6, 1.0), (4, 0.0))
    block = individual(pictures, [False, False], None, balance=True, key="x")
    maps = block.transformation(pictures[0])
    assert torch.isfinite(maps).all() and maps[..., 3:].abs().max() == 0


def test_a_global_block_is_taken_by_wide_and_widely_spread_members():
    pictures = pictures_of((4, 1.0), (40, 1.0))
    block = joint(pictures, [False, False], None, key="x")
    few, many = block.accounts
    assert few.weight + many.weight == pytest.approx(1) and many.weight > 0.8
    assert few.maps == many.maps == 4
    assert block.transformation(pictures[0]).shape == (5, 6, 4)
    spread = joint(pictures_of((4, 100.0), (40, 1.0)), [False, False], None, key="x")
    assert spread.accounts[0].weight > 0.99
    even = individual(pictures, [False, False], None, balance=True, key="x")
    assert [account.maps for account in even.accounts] == [2, 2]


def test_a_global_block_is_the_components_of_joined_features():
    pictures = pictures_of((3, 1.0), (2, 3.0))
    block = joint(pictures, [True, False], 4, key="x")
    joined = np.concatenate(
        [torch.cat([m.vectors for m in members], dim=2).flatten(0, 1) for members in pictures]
    ).astype(np.float64)
    maps = torch.cat([block.transformation(members).flatten(0, 1) for members in pictures])
    singular = np.linalg.svd(joined - joined.mean(axis=0), compute_uv=False)
    np.testing.assert_allclose(maps.double().square().sum(dim=0).sqrt(), singular[:4], rtol=1e-4)


def test_fewer_maps_than_members_are_refused():
    for make in (
        lambda: individual(pictures_of((6, 1.0), (4, 1.0)), [False] * 2, 1, True, "x"),
        lambda: joint(pictures_of((1, 1.0), (4, 1.0)), [False] * 2, None, "x"),
    ):
        with pytest.raises(InputError, match=r"x\.maps: 1, expected at least one of each 2 memb"):
            make()
