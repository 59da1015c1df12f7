"""Build backend that makes editable installs and nothing else.

A wheel would put packages named `render` and `train` on top of everybody's site-packages, without
the scenes that both are used with. The project is used from its checkout instead.
"""

from typing import NoReturn

from setuptools.build_meta import (
    build_editable,
    get_requires_for_build_editable,
    prepare_metadata_for_build_editable,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "prepare_metadata_for_build_editable",
]


def build_wheel(*_: object, **__: object) -> NoReturn:
    """Refuse; pip shows the line."""
    raise SystemExit(
        "stainless is used from its checkout: pip install --editable '.[render,train]'"
    )


build_sdist = build_wheel
