"""Checks that the settings of several methods share."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from stainless.errors import InputError


def check_above_0(settings: Any, key: str, but: tuple[str, ...] = ()) -> None:
    """Raise InputError for a number of a dataclass that is not above 0.

    Args:
        settings: the dataclass.
        key: what the message has in front of the field's name.
        but: fields that may be 0.
    """
    for field in fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        least = "at least 0" if field.name in but else "above 0"
        if not (value >= 0 if field.name in but else value > 0):
            raise InputError(f"{key}.{field.name}: {value}, expected {least}")


def check_share(settings: Any, key: str, *names: str) -> None:
    """Raise InputError for a field that is a share and more than 1."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and not 0 <= value <= 1:
            raise InputError(f"{key}.{name}: {value}, expected at most 1")
