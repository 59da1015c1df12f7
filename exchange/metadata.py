"""What a dataset's manifest says of a picture, in the few numbers that a person asks for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

#: Light variant by what it adds to a category's name, the longest first.
LIGHTS = {"_rot90": "hexagon_rot90", "_x2": "hexagon_x2", "": "hexagon"}

#: What a picture's metadata may be.
Value = float | int | str

#: Label of a number, and where it is in a sample's parameters.
NUMBERS = {
    "Part": ("side", "part"),
    "Part: side": ("side", "side"),
    "Light: radiance": ("light", "radiance"),
    "Light: ambient": ("light", "ambient"),
    "Light: height, mm": ("light", "height_mm"),
    "Metal: reflectance": ("metal", "reflectance"),
    "Metal: roughness": ("metal", "roughness"),
    "Metal: anisotropy": ("metal", "anisotropy"),
    "Texture: angle, rad": ("texture", "angle_rad"),
    "Texture: grooves": ("texture", "grooves", "count"),
    "Texture: waviness, slope": ("texture", "waviness_slope"),
    "Camera: exposure": ("sensor", "exposure"),
    "Camera: blur, px": ("sensor", "blur_px"),
    "Camera: read noise, e": ("sensor", "read_noise_e"),
    "Camera: vignetting": ("sensor", "vignetting"),
}

#: Members of a sample's parameters that are counted by kind.
COUNTED = ("defects", "impurities")


def read_metadata(manifest: Path, wanted: Iterable[str]) -> dict[str, dict[str, Value]]:
    """Return the metadata of pictures, by their path in the dataset.

    Reads line by line, since a line holds every number of a sample. One that was cut short by a
    kill says nothing, and so does a manifest that is not there.

    Args:
        manifest: the file.
        wanted: paths of the pictures.
    """
    names = set(wanted)
    found: dict[str, dict[str, Value]] = {}
    if not manifest.is_file():
        return found
    with manifest.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                entry = json.loads(line)
                files, parameters = set(entry["files"]), dict(entry["parameters"])
            except (ValueError, KeyError, TypeError):
                continue
            metadata = {key.capitalize(): entry.get(key) for key in ("note", "sample", "seed")}
            metadata |= _parameters(parameters)
            shown = {label: value for label, value in metadata.items() if _is_value(value)}
            found.update(dict.fromkeys(names & files, shown))
    return found


def _parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    # What stands at the top by itself describes the part as a whole.
    metadata = {
        key.replace("_", " ").capitalize(): value
        for key, value in parameters.items()
        if key not in ("index", "split")
    }
    for group in COUNTED:
        members = parameters.get(group)
        for kind, items in members.items() if isinstance(members, dict) else ():
            if isinstance(items, list):
                metadata[f"On the part: {kind.replace('_', ' ')}"] = len(items)
    for label, path in NUMBERS.items():
        value: Any = parameters
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        metadata[label] = _mean(value) if isinstance(value, list) else value
    return metadata


def _mean(values: list[Any]) -> float | None:
    numbers = [value for value in values if isinstance(value, (int, float))]
    return sum(numbers) / len(numbers) if numbers and len(numbers) == len(values) else None


def _is_value(value: Any) -> bool:
    return isinstance(value, (int, float, str)) and not isinstance(value, bool)


def light_of(category: str) -> str:
    """Return the light variant that a category of a rendered dataset was taken under."""
    return next(light for suffix, light in LIGHTS.items() if category.endswith(suffix))
