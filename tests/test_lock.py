"""The versions that are locked are those that pyproject.toml allows, for pip and uv alike."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINES = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
LOCKED = [Requirement(line) for line in LINES]
NEEDED = [
    Requirement(line)
    for extra in [
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
    ]
    for line in extra
]
PYTHONS = ("3.11", "3.12", "3.13")


def applies(requirement, python):
    versions = {"python_version": python, "python_full_version": f"{python}.5"}
    return requirement.marker is None or requirement.marker.evaluate(
        {**versions, "sys_platform": "linux", "platform_machine": "x86_64"}
    )


@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_needed_is_locked_to_one_version(python):
    """`make lock` mends it."""
    assert python in SpecifierSet(PROJECT["project"]["requires-python"])
    locked = {}
    for each in LOCKED:
        if applies(each, python):
            assert each.name.lower() not in locked
            locked[each.name.lower()] = str(each.specifier).removeprefix("==")
    for each in NEEDED:
        if applies(each, python):
            name = each.name.lower().replace("_", "-")
            assert locked[name] in each.specifier, f"{each}: run make lock"


def test_uv_reads_the_same_versions():
    assert PROJECT["tool"]["uv"]["constraint-dependencies"] == LINES


def test_bpy_is_asked_for_where_its_wheel_runs():
    (bpy,) = [each for each in NEEDED if each.name == "bpy"]
    assert [python for python in PYTHONS if applies(bpy, python)] == ["3.11"]
