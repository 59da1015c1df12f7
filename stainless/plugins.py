"""Plug-ins are found by their place in the tree, without importing any."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path


def folders(package: str, marker: str) -> dict[str, str]:
    """Return the plug-ins that are folders of a package.

    Args:
        package: dotted name of the package, such as "train.detectors".
        marker: a module that each plug-in has, such as "settings".

    Returns:
        The dotted name of each plug-in's marker module by the name of its folder, sorted.
    """
    return {
        path.parent.name: f"{package}.{path.parent.name}.{marker}"
        for path in sorted(_files(package, f"*/{marker}.py"), key=lambda path: path.parent.name)
    }


def modules(package: str, ending: str = "") -> dict[str, str]:
    """Return the plug-ins that are modules of a package.

    Args:
        package: dotted name of the package, such as "impurities".
        ending: what the names of the modules end with, such as "_ranges".

    Returns:
        The dotted name of each module by its name without the ending, sorted.
    """
    return {
        path.stem.removesuffix(ending): f"{package}.{path.stem}"
        for path in sorted(_files(package, f"*{ending}.py"), key=lambda path: path.name)
        if path.stem != "__init__"
    }


def _files(package: str, pattern: str) -> Iterator[Path]:
    """Yield the files of a package, which may be made of several folders."""
    for place in import_module(package).__path__:
        yield from Path(place).glob(pattern)
