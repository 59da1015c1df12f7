"""What is forgotten, against the rule applied one patch at a time to a stream without it."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import Reference

from stainless.errors import InputError
from train.detectors.sequential_patchcore import replacement, screen
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.forgetting import forget
from train.detectors.sequential_patchcore.melding import meld
from train.detectors.sequential_patchcore.member_class import MemberClass

IDENTITY = {"backbone": "test"}
NAMES = ("bare", "stain", "print")


def shown(patches, kinds, size, passes=2, cut=None, coreset=None):
    """Return a coreset that patches of classes (numbers of NAMES) were shown to."""
    coreset = Coreset(size, identity=IDENTITY) if coreset is None else coreset
    table = coreset.notes.classes
    numbers = np.array([table.number(MemberClass(name, "rendered")) for name in NAMES], np.int16)
    source = coreset.sources.add("plates", ["a.png"])
    for _ in range(passes):
        coreset.start_epoch()
        for part in np.split(np.arange(len(patches)), [] if cut is None else [cut]):
            origin = np.stack([np.full(len(part), source), np.zeros(len(part)), part], 1)
            coreset.update(
                torch.from_numpy(patches[part]), origin.astype(np.int32), numbers[kinds[part]]
            )
        coreset.end_epoch()
    return coreset


def numbers(coreset):
    return coreset.provenance[np.argsort(coreset._order[: len(coreset)]), 2].tolist()


def naive(patches, kinds, forgotten, size, passes):
    """Return the numbers of the members from a stream that never had some classes."""
    kept = np.flatnonzero(~np.isin(kinds, forgotten))
    reference = Reference(size)
    for _ in range(passes):
        for patch in kept:
            reference.show(patches[patch])
    return [int(kept[k % len(kept)]) for k in reference.distinct()]


@st.composite
def streams(draw):
    """Streams in which classes are often far apart, and often mixed."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(4, 60))
    kinds = random.integers(0, 3, count)
    spread = draw(st.sampled_from([0.0, 1.0, 30.0]))
    patches = random.normal(size=(count, 3)) + spread * np.eye(3)[kinds]
    if draw(st.booleans()):
        patches = patches.round()
    if draw(st.booleans()):
        # What comes first fills the places: few patches of other classes, then the first one.
        kinds = np.sort(kinds)[::-1].copy()
        kinds[draw(st.integers(0, 6)) :] = 0
        patches = random.normal(size=(count, 3)) + spread * np.eye(3)[kinds]
    return patches.astype(np.float32), kinds


FOUND = {True: 0, False: 0}


@settings(max_examples=250, deadline=None)
@given(streams(), st.integers(3, 14), st.sampled_from([[1], [2], [1, 2]]), st.integers(1, 2))
def test_what_is_called_exact_is_as_if_it_had_never_been_there(stream, size, forgotten, passes):
    patches, kinds = stream
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replacement, "CHUNK", 7)
        patch.setattr(replacement, "FEWEST", 2)
        patch.setattr(screen, "CHUNK", 7)
        coreset = shown(patches, kinds, size, passes)
        before = numbers(coreset)
        try:
            left, done = forget(coreset, [NAMES[k] for k in forgotten])
        except InputError as error:
            # All of the members are of these classes.
            assert "would leave" in str(error)
            return
    assert numbers(coreset) == before
    assert done.members + done.left == len(before) and len(left) == done.left
    assert numbers(left) == [k for k in before if kinds[k] not in forgotten]
    assert done.hinged is not None
    FOUND[done.exact] += 1
    if done.exact:
        assert numbers(left) == naive(patches, kinds, forgotten, left.size, passes)


def test_both_outcomes_were_met():
    assert FOUND[True] > 10 and FOUND[False] > 10


@settings(max_examples=60, deadline=None)
@given(streams(), st.integers(2, 14), st.integers(1, 3))
def test_every_decision_is_counted_once(stream, size, passes):
    patches, kinds = stream
    coreset = shown(patches, kinds, size, passes, cut=len(patches) // 2)
    decisions, history = coreset.notes.decisions, coreset.history
    assert decisions.entered.total() == sum(epoch["replacements"] for epoch in history)
    assert decisions.turned_away.total() == passes * len(patches) - sum(
        epoch["replacements"] + epoch["added"] for epoch in history
    )
    assert all(entry.made == "rendered" for entry in coreset.notes.classes.entries[1:])
    table = coreset.notes.classes.entries
    kinds_of = [NAMES.index(table[k].name) for k in coreset.notes.class_of[: len(coreset)]]
    assert kinds_of == [kinds[k] for k in coreset.provenance[:, 2]]


def random_stream(seed, count=80):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 5)).astype(np.float32), random.integers(0, 3, count)


def test_a_state_holds_all_of_it_and_a_fit_goes_on_from_it():
    patches, kinds = random_stream(3)
    whole = shown(patches, kinds, 12, passes=3)
    begun = shown(patches, kinds, 12, passes=1)
    resumed = shown(patches, kinds, 12, 2, coreset=Coreset.from_state(*begun.state()))
    assert resumed.state()[1] == whole.state()[1]
    assert numbers(resumed) == numbers(whole)
    for name in ("members", "provenance", "classes"):
        assert np.array_equal(resumed.state()[0][name], whole.state()[0][name]), name


def test_melding_keeps_classes_pictures_and_counts():
    random = np.random.default_rng(9)
    parts = []
    for seed in range(2):
        coreset = shown(*random_stream(seed), 12)
        coreset.notes.crops = [random.integers(0, 255, (8, 8, 3), np.uint8) for _ in range(12)]
        parts.append(coreset)
    pictures = [copy.copy(part.notes.crops) for part in parts]
    melded = meld(parts, 16)
    known = {
        tuple(patch): (part.notes.class_at(member), pictures[number][member])
        for number, part in enumerate(parts)
        for member, patch in enumerate(part.members.numpy())
    }
    for member, patch in enumerate(melded.members.numpy()):
        found, picture = known[tuple(patch)]
        assert melded.notes.class_at(member) == found
        assert np.array_equal(melded.notes.crops[member], picture)
    assert melded.notes.decisions.whole
    assert melded.notes.decisions.hinged([1]) >= sum(
        part.notes.decisions.hinged(part.notes.classes.answering(["bare"])) for part in parts
    )


def test_forgetting_what_is_made_in_a_way_and_what_is_not_there():
    coreset = shown(*random_stream(4), 12)
    with pytest.raises(InputError, match="--class: rendered would leave 0 members"):
        forget(coreset, ["rendered"])
    with pytest.raises(InputError, match=r"--class: rust, expected .*: bare, print, rendered, st"):
        forget(coreset, ["rust"])


def test_after_an_inexact_forgetting_nothing_is_called_exact():
    coreset, done = forget(shown(*random_stream(5), 12), ["stain"])
    assert not done.exact and done.hinged
    again, more = forget(coreset, ["print"])
    assert more.hinged is None and not more.exact and "not known" in str(more)
    assert [event["event"] for event in again.history][-2:] == ["forget", "forget"]


def test_a_coreset_of_before_there_were_classes():
    arrays, state = shown(*random_stream(6), 12).state()
    old = {name: arrays[name] for name in ("members", "order", "provenance")}
    described = {k: v for k, v in state.items() if k not in ("classes", "decisions")}
    coreset = Coreset.from_state(old, described)
    assert not coreset.notes.named and not coreset.notes.decisions.whole
    assert coreset.notes.class_at(0) == MemberClass()
    assert np.array_equal(coreset.members, arrays["members"])
