"""What commands with a typed configuration share: dotted keys as options, and their list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stainless import config
from stainless.errors import InputError


def dotted(rest: Sequence[str]) -> list[tuple[str, str]]:
    """Return the keys among the arguments that are no options of their own, with their values.

    Raises:
        InputError: a word that is no option, or an option without a value.
    """
    overrides = []
    words = iter(rest)
    for word in words:
        if not word.startswith("--"):
            raise InputError(f"{word}: expected an option that starts with --")
        key, sign, value = word[2:].partition("=")
        text = value if sign else next(words, None)
        if text is None or text.startswith("--"):
            raise InputError(f"{word}: expected a value")
        overrides.append((key, text))
    return overrides


def print_keys(schema: Any) -> None:
    """Print every key of a configuration with type, default and meaning."""
    for name, kind, default, meaning in config.keys(schema):
        print(f"--{name} ({config.described(kind)}; default {config.notation(default)})")
        print(f"    {meaning}")
