"""Plug-ins are found by their place in the tree, without importing any."""

from __future__ import annotations

from importlib.util import find_spec
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
        folder.name: f"{package}.{folder.name}.{marker}"
        for folder in sorted(_place(package).iterdir())
        if (folder / f"{marker}.py").is_file()
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
        for path in sorted(_place(package).glob(f"*{ending}.py"))
        if path.stem != "__init__"
    }


def _place(package: str) -> Path:
    """Return the folder of a package."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {package}")
    return Path(next(iter(spec.submodule_search_locations)))
