"""The impurities there are, each tried on what all of them promise."""

import ast
from pathlib import Path

import pytest
from support import check_impurity

import impurities
from impurities.registry import IMPURITIES


@pytest.mark.parametrize("name", IMPURITIES)
@pytest.mark.parametrize("check", check_impurity.CHECKS, ids=lambda check: check.__name__)
def test_every_kind(name, check):
    check(IMPURITIES[name])


def test_those_known_keep_their_numbers_and_are_layered_in_this_order():
    kinds = {name: (kind.index, kind.stream, kind.diffuse) for name, kind in IMPURITIES.items()}
    assert list(kinds.items())[:3] == [
        ("water_stain", (1, 0, False)),
        ("fingerprint", (2, 1, False)),
        ("sticker", (3, 2, True)),
    ]


@pytest.mark.parametrize("number", ["index", "stream", "layer"])
def test_no_two_share_a_number(number):
    numbers = [getattr(kind, number) for kind in IMPURITIES.values()]
    assert len(set(numbers)) == len(numbers)


def test_indices_stay_below_those_of_flaws():
    assert all(1 <= kind.index <= 100 for kind in IMPURITIES.values())


def test_impurities_need_neither_blender_nor_torch():
    allowed = {"__future__", "collections", "dataclasses", "enum", "functools", "importlib"}
    allowed |= {"math", "typing", "impurities", "noise", "numpy", "stainless"}
    folder = Path(impurities.__file__).parent
    sources = list(folder.rglob("*.py"))
    assert len(sources) > 5
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] in allowed, f"{source.name} imports {name}"
