"""Every figure by its name, gathered from the metrics; no other place lists them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from stainless import plugins
from train.metrics.metric import ClassFigure, Figure


def measures() -> dict[str, ModuleType]:
    """Return the modules of `train/metrics/measures/`, in the order of their first figures."""
    found = {
        name: import_module(module)
        for name, module in plugins.modules("train.metrics.measures").items()
    }
    last = 1 << 30

    def first(name: str) -> int:
        return min((figure.place for figure in found[name].FIGURES), default=last)

    return {name: found[name] for name in sorted(found, key=lambda name: (first(name), name))}


def _gathered() -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    every = [figure for module in measures().values() for figure in module.FIGURES]
    for figure in sorted(every, key=lambda figure: (figure.place, figure.key)):
        if figure.key in figures:
            raise RuntimeError(f"two metrics have a figure {figure.key}")
        figures[figure.key] = figure
    return figures


#: The figures that stand for a method, by key, in the order of the tables.
FIGURES: dict[str, Figure] = _gathered()

#: The figures that stand for one class, by key.
CLASS_FIGURES: dict[str, ClassFigure] = {
    figure.key: figure for module in measures().values() for figure in module.CLASS_FIGURES
}

#: Differs whenever a figure may: what was kept under another version is measured anew.
METRIC_VERSION = ", ".join(
    f"{name} {module.VERSION}" for name, module in sorted(measures().items())
)
