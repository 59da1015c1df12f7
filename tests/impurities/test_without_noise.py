"""The package noise is asked for in one line."""

import importlib
import sys

import pytest

from impurities import perlin
from stainless.errors import InputError


def test_a_missing_package_is_told_in_one_line(monkeypatch):
    with monkeypatch.context() as missing:
        missing.setitem(sys.modules, "noise", None)
        with pytest.raises(InputError, match=r"Python 3\.11 .*noise is missing"):
            importlib.reload(perlin)
    importlib.reload(perlin)
