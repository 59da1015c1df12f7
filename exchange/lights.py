"""Which light the categories of a rendered dataset were taken under."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from stainless.dataset.layouts import LIGHTS
from stainless.errors import InputError
from stainless.json_text import parse
from stainless.yaml_text import parse as parse_yaml

#: Light by what it adds to a category's name, the longest first, in datasets that have no list.
SUFFIXES = {"_rot90": "hexagon_rot90", "_x2": "hexagon_x2", "": "hexagon"}


def read_lights(root: Path, categories: Collection[str]) -> dict[str, str]:
    """Return the name of the light of each category that has one.

    Args:
        root: of the dataset.
        categories: folders in it.

    Raises:
        InputError: the dataset's list of lights is none.
    """
    path = root / LIGHTS
    if not path.is_file():
        return _formerly(root, categories)
    try:
        lights = parse(path.read_text(encoding="utf-8"))["lights"]
        known = {category: lights[category] for category in categories if category in lights}
    except (ValueError, KeyError, TypeError):
        known = {"": None}
    if not all(isinstance(light, str) for light in known.values()):
        raise InputError(f'{path}: expected {{"lights": {{"category": "name of its light"}}}}')
    return known


def _formerly(root: Path, categories: Collection[str]) -> dict[str, str]:
    """Return the lights of a dataset of the time when all parts were plates.

    Its scene names the lights and no part.
    """
    try:
        scene: Any = parse_yaml((root / "scene.yaml").read_text(encoding="utf-8"))
        named = "part" not in scene and bool(scene["lights"]["variants"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        named = False
    if not named:
        return {}
    return {
        category: next(light for suffix, light in SUFFIXES.items() if category.endswith(suffix))
        for category in categories
    }
