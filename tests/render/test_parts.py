"""The kinds of parts there are, and one of the tests' own that is added in one folder."""

from __future__ import annotations

import pytest
from support import example_parts
from support.check_part import CHECKS, KEY_CHECKS, check_part, small_scene

from render.part import part_names

EXAMPLES = sorted(path.name for path in example_parts.PLACE.iterdir() if path.is_dir())


@pytest.fixture(scope="module", autouse=True)
def place():
    with example_parts.in_place():
        yield


@pytest.mark.parametrize("name", part_names())
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_kind(name, check):
    check(small_scene(name))


@pytest.mark.parametrize("name", part_names())
@pytest.mark.parametrize("check", KEY_CHECKS, ids=lambda check: check.__name__)
def test_the_keys_of_every_kind(name, check, tmp_path):
    check(small_scene(name), tmp_path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_added_kind_keeps_all_promises(name, tmp_path):
    check_part(name, tmp_path)


def test_the_examples_are_found_by_their_place():
    assert set(part_names()) > set(EXAMPLES) == {"disc"}
