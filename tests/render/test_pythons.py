"""Rendering with a Python that the bpy wheel is not built for."""

import sys

import pytest

from render.cycles import blender
from stainless.errors import guarded


@pytest.mark.parametrize("version", [(3, 12, 1), (3, 13, 0)])
def test_one_line_says_which_python_rendering_needs(version, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "bpy", None)
    monkeypatch.setattr(sys, "version_info", version)
    assert guarded(lambda: blender.load() and 0) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "Python 3.11" in line and f"this is 3.{version[1]}" in line
