"""Dataclasses from what `dataclasses.asdict` and JSON made of them."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any


def rebuilt(kind: Any, value: Any) -> Any:
    """Return a value of an annotated type from its JSON."""
    family, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: rebuilt(hints[name], item) for name, item in value.items()})
    if family is types.UnionType:
        return None if value is None else rebuilt(arguments[0], value)
    if family is tuple:
        kinds = arguments[:1] * len(value) if arguments[-1] is ... else arguments
        return tuple(rebuilt(of, item) for of, item in zip(kinds, value, strict=True))
    return value
