"""Options of the command line to the settings of a method."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from stainless import config
from stainless.errors import InputError
from train.detectors.detector import Method, method, methods


def tree(name: str) -> type[Any]:
    """Return the dataclass whose one field, named as the method, has the method's settings."""
    schema = method(name).settings
    return dataclasses.make_dataclass(
        name, [(name, schema, dataclasses.field(default_factory=schema))]
    )


def settings(
    name: str, options: Sequence[tuple[str, str]], base: Mapping[str, Any] | None = None
) -> Any:
    """Return a method's settings.

    Args:
        name: of the method.
        options: keys and their values in YAML notation, later ones win: `NAME.key`, or `key` alone.
        base: plain values of the settings that are not among the options; None for the defaults.

    Raises:
        InputError: unknown method or key, or a value that cannot be used; names the option.
    """
    known = method(name)
    values: Mapping[str, Any] = base or {}
    for option, text in options:
        values = _put(name, known, values, option.replace("-", "_"), text)
    return _checked(name, config.build(known.settings, values, name), options)


def from_values(name: str, values: Mapping[str, Any]) -> Any:
    """Return a method's settings from plain values.

    Raises:
        InputError: unknown method or key, or a value that cannot be used; names `NAME.key`.
    """
    chosen = config.build(tree(name), {name: dict(values)}, "settings")
    return _checked(name, getattr(chosen, name), ())


def _checked(name: str, chosen: Any, options: Sequence[tuple[str, str]]) -> Any:
    """Return settings that have validated themselves; a message names the option as it was given.

    Raises:
        InputError: a value that cannot be used.
    """
    if not hasattr(chosen, "validate"):
        return chosen
    try:
        chosen.validate(name)
    except ValueError as error:
        key, _, rest = str(error).partition(":")
        given = [o for o, _ in options if key in (f"{name}.{_plain(o)}", _plain(o))]
        raise InputError(f"{f'--{given[-1]}' if given else key}:{rest}") from None
    return chosen


def _plain(option: str) -> str:
    return option.replace("-", "_")


def _put(
    name: str, known: Method, values: Mapping[str, Any], key: str, text: str
) -> Mapping[str, Any]:
    """Return values with one more option."""
    first, dot, _ = key.partition(".")
    text = _listed(known.settings, key.removeprefix(f"{name}."), text)
    if dot and first == name:
        return config.overridden(tree(name), {name: values}, [(key, text)])[name]
    if dot and first in methods():
        raise InputError(f"--{key}: the method is {name}, expected --{name}.KEY")
    return config.overridden(known.settings, values, [(key, text)])


def _listed(schema: type[Any], key: str, text: str) -> str:
    """Return the text as a list where a list is wanted: `--stages 3 4` is `[3, 4]`."""
    kind = typing.get_type_hints(schema).get(key)
    wanted = typing.get_origin(kind) in (tuple, list)
    return f"[{text}]" if wanted and not text.lstrip().startswith("[") else text
