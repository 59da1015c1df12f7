"""Trees of values changed at random places: what bytes alone seldom reach."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import yaml

#: What readers do not expect.
HOSTILE = (
    *(None, True, False, 0, 1, -1, 255, 256, 65536, 2**31, 2**63, -(2**63), 10**30, 10**400),
    *(0.5, -0.0, 1e-320, 1e308, float("inf"), float("nan")),
    *("", " ", "0", "good", "dent", "..", "../../x", "/etc/passwd", "\0", "\ud800", "a" * 300),
    *([], {}, [[]], [None], {"": ""}, [1, 2], [1e308, -1e308], [[0, 0]] * 3),
)

#: Deeper than this no value is put.
DEEPEST = 12


def mutated(tree: Any, rng: random.Random) -> Any:
    """Return a tree with one place changed: a value replaced, removed, repeated or moved."""
    places = list(_places(tree, (), 0))
    if not places:
        return rng.choice(HOSTILE)
    parent, key = rng.choice(places)
    action = rng.randrange(6)
    if action <= 2:
        parent[key] = rng.choice(HOSTILE)
    elif action == 3:
        del parent[key]
    elif action == 4:
        other, name = rng.choice(places)
        parent[key] = json.loads(json.dumps(other[name])) if name in _keys(other) else None
    elif isinstance(parent, list):
        parent.extend([parent[key]] * rng.choice((1, 2, 50)))
    else:
        parent[rng.choice(("", "x", str(key).upper(), f"{key} "))] = parent.pop(key)
    return tree


def _keys(parent: Any) -> Any:
    return parent.keys() if isinstance(parent, dict) else range(len(parent))


def _places(tree: Any, path: tuple[Any, ...], depth: int) -> Any:
    """Yield every list or mapping with a key of it."""
    if depth > DEEPEST or not isinstance(tree, (list, dict)):
        return
    for key in list(_keys(tree)):
        yield tree, key
        yield from _places(tree[key], (*path, key), depth + 1)


def of_json(data: bytes, rng: random.Random) -> bytes:
    """Return JSON with one place changed."""
    return json.dumps(mutated(json.loads(data), rng)).encode()


def of_lines(data: bytes, rng: random.Random) -> bytes:
    """Return lines of JSON with one place of one line changed, or one line more."""
    lines = [line for line in data.split(b"\n") if line]
    chosen = rng.randrange(len(lines))
    line = of_json(lines[chosen], rng)
    lines[chosen : chosen + rng.randrange(2)] = [line]
    return b"\n".join(lines) + b"\n"


def of_yaml(data: bytes, rng: random.Random) -> bytes:
    """Return YAML with one place changed."""
    return yaml.safe_dump(mutated(yaml.safe_load(data), rng)).encode(errors="replace")


Mutation = Callable[[bytes, random.Random], bytes]
