"""The words of a setting `members`, which name models that a method combines.

A word is a model file (`FILE.safetensors`), or a method with keys of its own
(`simplenet steps=200`), which is fitted on the spot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stainless.errors import InputError
from train.detectors import options


def is_model_file(word: str) -> bool:
    """Tell whether a word of a setting `members` names a file, not a method."""
    return word.endswith(".safetensors")


def check(words: Sequence[str], key: str) -> None:
    """Check the words of a setting `members`; files need not be there.

    Args:
        words: of the setting.
        key: what the setting is below.

    Raises:
        InputError: none, an unknown method, or a key of it that cannot be used.
    """
    if not words:
        raise InputError(f"{key}.members: [], expected one or more models or methods")
    for word in words:
        if not is_model_file(word):
            chosen(word, key)


def chosen(word: str, key: str) -> tuple[str, Any]:
    """Return the method and the settings that a word names.

    Raises:
        InputError: an unknown method, or a key of it that cannot be used.
    """
    name, *pairs = word.split() or [""]
    if not all("=" in pair for pair in pairs):
        raise InputError(
            f"{key}.members: {word}, expected FILE.safetensors or METHOD [KEY=VALUE ...]"
        )
    try:
        keys = [(pair.partition("=")[0], pair.partition("=")[2]) for pair in pairs]
        return name, options.settings(name, keys)
    except InputError as error:
        problem = str(error)
        blamed = "" if problem.startswith("--method: ") else f"{word}: "
        line = f"{blamed}{problem.removeprefix('--method: ').removeprefix('--')}"
        raise InputError(f"{key}.members: {line}") from None
