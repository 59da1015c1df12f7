"""Build backend that makes editable installs and nothing else.

A wheel would put packages named `render` and `train` on top of everybody's site-packages, without
the scenes that both are used with. The project is used from its checkout instead.
"""

from typing import Any, NoReturn

from setuptools import build_meta
from setuptools.build_meta import (
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


def build_editable(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Install the checkout as a plain path.

    Setuptools' finder comes after the current folder: beside a clone named `stainless`, that
    folder, which is no package, would be imported in the package's place.
    """
    settings = {**(config_settings or {}), "editable_mode": "compat"}
    name: str = build_meta.build_editable(wheel_directory, settings, metadata_directory)
    return name


def build_wheel(*_: object, **__: object) -> NoReturn:
    """Refuse; pip shows the line."""
    raise SystemExit(
        "stainless is used from its checkout: pip install --editable '.[render,train]'"
    )


build_sdist = build_wheel
