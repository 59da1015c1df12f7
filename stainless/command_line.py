"""What commands with a typed configuration share: dotted keys as options, and their list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stainless import config
from stainless.errors import InputError


def dotted(rest: Sequence[str], lists: bool = False) -> list[tuple[str, str]]:
    """Return the keys among the arguments that are no options of their own, with their values.

    Args:
        rest: the arguments.
        lists: let several words follow an option; they are one value, separated by commas.

    Raises:
        InputError: a word that is no option, or an option without a value.
    """
    overrides = []
    words = list(rest)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            raise InputError(f"{word}: expected an option that starts with --")
        key, sign, value = word[2:].partition("=")
        values = [value] if sign else []
        while words and not words[0].startswith("--") and (lists or not values):
            values.append(words.pop(0))
        if not values:
            raise InputError(f"{word}: expected a value")
        overrides.append((key, ", ".join(values)))
    return overrides


def print_keys(schema: Any) -> None:
    """Print every key of a configuration with type, default and meaning."""
    for name, kind, default, meaning in config.keys(schema):
        print(f"--{name} ({config.described(kind)}; default {config.notation(default)})")
        print(f"    {meaning}")
