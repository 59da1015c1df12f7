"""What makes two runs of a program differ: global generators of random numbers, and the clock."""

from __future__ import annotations

import ast

#: All that numpy.random may be used for: generators whose seed is given.
SEEDED = {"Generator", "SeedSequence", "default_rng", "SFC64", "PCG64", "Philox", "BitGenerator"}

#: `time.sleep` waits and tells nothing.
CLOCKS: dict[str, set[str]] = {
    "time": {"sleep"},
    "datetime": set(),
    "random": set(),
    "secrets": set(),
    "uuid": set(),
}


def _dotted(node: ast.AST) -> str | None:
    """Return `a.b.c` of an attribute's node, or None."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := _dotted(node.value)):
        return f"{base}.{node.attr}"
    return None


def undetermined(text: str) -> list[str]:
    """Return what a module uses that would make two runs differ, as `line: name`."""
    tree = ast.parse(text)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    found = []
    for node in ast.walk(tree):
        name = _dotted(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
        if name is None:
            continue
        head, _, rest = name.partition(".")
        if head not in names:
            continue
        full = f"{names[head]}.{rest}".rstrip(".")
        parts = full.split(".")
        legacy = parts[:2] == ["numpy", "random"] and len(parts) > 2 and parts[2] not in SEEDED
        clock = parts[0] in CLOCKS and len(parts) > 1 and parts[1] not in CLOCKS[parts[0]]
        urandom = full == "os.urandom"
        if legacy or clock or urandom:
            found.append(f"{node.lineno}: {full}")
    for node in ast.walk(tree):
        # A generator without a seed takes one from the system.
        if isinstance(node, ast.Call) and not node.args and not node.keywords:
            name = _dotted(node.func) or ""
            if name.split(".")[-1] in SEEDED:
                found.append(f"{node.lineno}: {name}()")
    return found
