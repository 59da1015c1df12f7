"""JSON as strangers write it: whatever is in the text, it is a value or a ValueError."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from stainless.limits import MOST_DEPTH

_STEPS = np.zeros(256, np.int8)
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1


def parse(text: str | bytes, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return what a text in JSON says.

    Args:
        text: the text.
        parse_constant: what stands for NaN and the infinities, given their name; None for floats.

    Raises:
        ValueError: it is no JSON, or has lists and mappings in one another more than
            `limits.MOST_DEPTH` deep, which whatever walks through them may not survive.
    """
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    try:
        content = json.loads(text, parse_constant=parse_constant)
    except RecursionError:
        raise ValueError("is nested too deep") from None
    steps = _STEPS[np.frombuffer(data, np.uint8)]
    # Brackets in texts count here as well, so that only few contents need the second, slow look.
    if steps.cumsum(dtype=np.int64).max(initial=0) > MOST_DEPTH and _depth(content) > MOST_DEPTH:
        raise ValueError("is nested too deep")
    return content


def _depth(content: Any) -> int:
    """Return how deep lists and mappings lie in one another."""
    depth, level = 0, [content]
    while level := [value for value in level if isinstance(value, (list, dict))]:
        depth += 1
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return depth
