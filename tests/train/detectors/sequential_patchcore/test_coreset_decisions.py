"""Decisions of the coreset equal those of the rule applied one patch at a time."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import Reference

from train.detectors.sequential_patchcore import replacement, screen
from train.detectors.sequential_patchcore.coreset import Coreset

IDENTITY = {"backbone": "test"}


def run(patches, size, cuts=(), passes=1):
    """Return the coreset and its members as numbers of patches, oldest first, after each pass."""
    coreset = Coreset(size, identity=IDENTITY)
    seen = []
    for _ in range(passes):
        coreset.start_epoch()
        show(coreset, patches, cuts)
        coreset.end_epoch()
        seen.append(numbers(coreset))
    return coreset, seen


def show(coreset, patches, cuts=(), first=0):
    edges = [0, *sorted(cuts), len(patches)]
    replaced = 0
    for start, stop in pairwise(edges):
        origin = np.zeros((stop - start, 3), np.int32)
        origin[:, 2] = np.arange(first + start, first + stop)
        replaced += coreset.update(torch.from_numpy(patches[start:stop]), origin)
    return replaced


def numbers(coreset):
    return coreset.provenance[np.argsort(coreset._order[: len(coreset)]), 2].tolist()


def expected(patches, size, passes=1, copies=False):
    reference = Reference(size, copies)
    seen = []
    for _ in range(passes):
        for patch in patches:
            reference.show(patch)
        seen.append([k % len(patches) for k in reference.distinct()])
    return reference, seen


@st.composite
def streams(draw):
    """Streams rich in what goes wrong: ties, copies, zeros, offsets, extreme scales."""
    seed = draw(st.integers(0, 2**32 - 1))
    count = draw(st.integers(1, 90))
    dimension = draw(st.sampled_from([1, 2, 3, 9, 17, 152]))
    random = np.random.default_rng(seed)
    kind = draw(st.sampled_from(["normal", "lattice", "almost lattice", "copies", "clusters"]))
    if kind == "lattice":
        patches = random.integers(-2, 3, (count, dimension)).astype(float)
    elif kind == "almost lattice":
        patches = random.integers(-2, 3, (count, dimension)).astype(float)
        patches[:, 1::2] *= 1e-5
    elif kind == "copies":
        few = random.normal(size=(draw(st.integers(1, 12)), dimension))
        patches = few[random.integers(0, len(few), count)]
    elif kind == "clusters":
        few = random.normal(size=(draw(st.integers(1, 8)), dimension))
        patches = few[random.integers(0, len(few), count)]
        patches = patches + 1e-6 * random.normal(size=patches.shape)
    else:
        patches = random.normal(size=(count, dimension))
    scale = draw(st.sampled_from([1.0, 1.0, 1e-6, 1e-18, 1e-30, 1e10]))
    offset = draw(st.sampled_from([0.0, 0.0, 1.0, 1e4]))
    patches = (patches * scale + offset * scale).astype(np.float32)
    patches[random.random(count) < draw(st.sampled_from([0.0, 0.3]))] = 0.0
    if draw(st.booleans()):
        patches[random.random(count) < 0.2] *= -0.0
    return patches


@settings(max_examples=200, deadline=None)
@given(streams(), st.integers(2, 20), st.data())
def test_members_equal_the_reference_after_every_pass(patches, size, data):
    cuts = data.draw(st.lists(st.integers(0, len(patches)), max_size=4))
    coreset, seen = run(patches, size, cuts, passes=3)
    reference, wanted = expected(patches, size, passes=3)
    assert seen == wanted
    assert len(coreset) == len(reference.members)
    if len(coreset) > 1:
        assert coreset.separation == reference.separation()


@settings(max_examples=100, deadline=None)
@given(streams(), st.integers(2, 20), st.integers(1, 7), st.integers(1, 3))
def test_sizes_of_the_pieces_of_work_change_nothing(patches, size, chunk, group):
    _, wanted = expected(patches, size, passes=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replacement, "CHUNK", chunk)
        patch.setattr(replacement, "FEWEST", 2)
        patch.setattr(screen, "CHUNK", chunk)
        patch.setattr(screen, "GROUP", group)
        patch.setattr(screen, "FRONT", 0.5)
        patch.setattr(screen, "FRONT_PATCHES", 5)
        assert run(patches, size, passes=3)[1] == wanted


@settings(max_examples=60, deadline=None)
@given(streams(), st.integers(2, 20))
def test_copies_among_the_first_members_end_the_same(patches, size):
    """By the letter of the paper copies may enter at first; they never outlast a new patch."""
    assert run(patches, size)[1] == expected(patches, size, copies=True)[1]


@settings(max_examples=30, deadline=None)
@given(streams(), streams(), st.integers(2, 20))
def test_finetuning_goes_on_with_another_stream(one, other, size):
    width = min(one.shape[1], other.shape[1])
    one, other = one[:, :width].copy(), other[:, :width].copy()
    coreset, reference = Coreset(size, identity=IDENTITY), Reference(size)
    first = 0
    for stream in (one, other, one):
        coreset.start_epoch()
        show(coreset, stream, (5,) if len(stream) > 5 else (), first)
        coreset.end_epoch()
        for patch in stream:
            reference.show(patch)
        first += len(stream)
    assert numbers(coreset) == reference.distinct()


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_many_replacements_at_a_realistic_size(offset):
    random = np.random.default_rng(5)
    centres = random.normal(size=(30, 24)) * 3
    patches = centres[random.integers(0, 30, 2000)] + random.normal(size=(2000, 24))
    patches = (patches + offset).astype(np.float32)
    coreset, seen = run(patches, 64, (700, 1500), passes=2)
    reference, wanted = expected(patches, 64, passes=2)
    assert seen == wanted
    assert sum(entry["replacements"] for entry in coreset.history) == len(reference.log) > 100


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_a_lower_precision_of_products_changes_no_decision(precision):
    patches = np.random.default_rng(3).normal(size=(400, 16)).astype(np.float32)
    wanted = expected(patches, 32)[1]
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        assert run(patches, 32)[1] == wanted
    finally:
        torch.set_float32_matmul_precision(before)
