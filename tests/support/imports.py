"""Who imports whom, read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

#: Modules by dotted name, each with the dotted names that it imports.
Graph = dict[str, set[str]]


def module_name(path: Path, root: Path) -> str:
    """Return the dotted name of a source file below the root."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(root: Path, trees: tuple[str, ...]) -> dict[str, Path]:
    """Return the modules of some packages by dotted name."""
    paths = (path for tree in trees for path in sorted((root / tree).rglob("*.py")))
    return {module_name(path, root): path for path in paths}


@cache
def imported(text: str, anywhere: bool = False) -> set[str]:
    """Return what a module imports, as dotted names; of `from a import b` both a and a.b.

    Args:
        text: its source.
        anywhere: also inside functions and for type checking, not only on import.
    """
    tree = ast.parse(text)
    nodes = ast.walk(tree) if anywhere else _on_import(tree)
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _on_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when a module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _on_import(child)


def graph(modules: Mapping[str, str]) -> Graph:
    """Return which of some modules, given as sources by name, import which others."""
    return {name: (imported(text) & set(modules)) - {name} for name, text in modules.items()}


def circles(links: Graph) -> list[list[str]]:
    """Return the groups of modules that import one another in a circle (Tarjan, 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in sorted(links[name]):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for name in sorted(links):
        if name not in order:
            visit(name)
    return groups
