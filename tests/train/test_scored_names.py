"""Names of results: short where they can be, and never one for two pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stainless.errors import InputError
from train.scored_names import named_pictures


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Make empty pictures in the working folder; names are looked at only."""
    monkeypatch.chdir(tmp_path)

    def make(*names):
        for name in names:
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    return make


def names(*given):
    return {name: str(path) for name, path in named_pictures([Path(one) for one in given]).items()}


def test_a_folder_names_by_what_lies_below_it(made):
    made("lot/a.png", "lot/deep/b.jpg", "c.png")
    assert names("lot", "c.png") == {"a": "lot/a.png", "deep/b": "lot/deep/b.jpg", "c": "c.png"}


def test_equal_names_keep_their_folders_apart(made):
    made("x/one/a.png", "x/two/a.png", "x/two/b.png")
    told_apart = {"one/a": "x/one/a.png", "two/a": "x/two/a.png"}
    assert names("x/one/a.png", "x/two/a.png") == told_apart
    assert names("x/one", "x/two") == told_apart | {"two/b": "x/two/b.png"}
    made("x/one/test/a.png", "x/two/test/a.png")
    assert names("x/one/test", "x/two/test") == {
        "one/test/a": "x/one/test/a.png",
        "two/test/a": "x/two/test/a.png",
    }


def test_a_picture_that_is_given_twice_is_scored_once(made):
    made("lot/a.png", "b.png")
    assert names("lot", "lot/a.png", "./lot/../b.png", "b.png") == {
        "a": "lot/a.png",
        "b": "lot/../b.png",
    }


def test_files_that_differ_in_the_ending_keep_it(made):
    made("a.png", "a.jpg", "b.png", "a.png.png")
    assert names("a.png", "a.jpg", "b.png") == {"a.png": "a.png", "a.jpg": "a.jpg", "b": "b.png"}
    assert len(names("a.png", "a.jpg", "a.png.png")) == 3


def test_a_folder_without_pictures(made):
    made("lot/a.txt")
    with pytest.raises(InputError, match="lot: has no images"):
        names("lot")


parts = st.sampled_from(["a", "b", "a.b"])
files = st.lists(
    st.tuples(st.lists(parts, max_size=3).map(tuple), parts, st.sampled_from([".png", ".jpg"])),
    min_size=1,
    max_size=8,
    unique=True,
)


@settings(max_examples=80, deadline=None)
@given(files)
def test_every_picture_has_a_name_of_its_own(made_files):
    given_files = [Path(*folders, f"{stem}{ending}") for folders, stem, ending in made_files]
    found = named_pictures(given_files)
    assert set(found.values()) == set(given_files) and len(found) == len(set(given_files))
    assert all(not name.startswith("/") and ".." not in name for name in found)
