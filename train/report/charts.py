"""Recall of defects at each coverage threshold; and how methods learned pass by pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from train.report.markup import spoken
from train.report.plot import Axis, Line, chart, linear, logarithmic, switches
from train.report.results import MethodResults, Pass, Quantity, Results, class_names, shown_methods


def lined_up(results: Results) -> list[MethodResults]:
    """Return all methods, those that are shown at first in front: they get the clearest colours."""
    chosen = shown_methods(results)
    return chosen + [method for method in results["methods"] if method not in chosen]


def curve_panels(results: Results) -> str:
    """Return a panel for all defects and another for each class."""
    methods = lined_up(results)
    shown = set(range(len(shown_methods(results))))
    thresholds = results["coverage_thresholds"]
    ticks = [
        (0.0, "any"),
        (0.2, "20 %"),
        (0.4, "40 %"),
        (0.6, "60 %"),
        (0.8, "80 %"),
        (1.0, "all"),
    ]
    across = Axis("share of its pixels that must be flagged", ticks, lambda value: value)
    up = linear("recall", 1.0, lambda value: f"{value:g}")

    def panel(title: str, recalls: Sequence[Sequence[float | None]]) -> str:
        lines = [
            Line(place, method["name"], list(zip(thresholds, values, strict=False)))
            for place, (method, values) in enumerate(zip(methods, recalls, strict=True))
        ]
        return chart(title, across, up, lines, shown)

    panels = [panel("All defects", [method["recall"] for method in methods])]
    for name in class_names(results):
        end = " · low is good" if results["classes"][name] == "impurity" else ""
        found = [method["classes"][name]["recall"] for method in methods]
        panels.append(panel(f"{spoken(name).capitalize()}{end}", found))
    legend = switches([method["name"] for method in methods], shown)
    return f'<div class="plots">{legend}<div class="panels">{"".join(panels)}</div></div>'


def learning_panels(results: Results) -> str:
    """Return every quantity that methods remember of the first repeat, pass by pass."""
    methods = [method for method in lined_up(results) if _learning(method)]
    if not methods:
        return "<p>No method of this experiment remembers how it learned.</p>"
    names = {method["name"] for method in shown_methods(results)}
    shown = {place for place, method in enumerate(methods) if method["name"] in names}
    shown = shown or set(range(min(5, len(methods))))
    drawn = {key: _having(methods, key) for key in results["quantities"]}
    for having in drawn.values():
        # No diagram is empty at first.
        if having and not shown & having.keys():
            shown.add(min(having))
    panels = [
        _panel(key, quantity, {place: methods[place] for place in drawn[key]}, shown)
        for key, quantity in results["quantities"].items()
        if drawn[key]
    ]
    legend = switches([method["name"] for method in methods], shown)
    return f'<div class="plots">{legend}<div class="panels">{"".join(panels)}</div></div>'


def _having(methods: Sequence[MethodResults], key: str) -> dict[int, list[float]]:
    """Return the defined values of a quantity by the places of the methods that have any."""
    found = {
        place: [
            value for entry in _learning(method) if (value := entry["values"].get(key)) is not None
        ]
        for place, method in enumerate(methods)
    }
    return {place: values for place, values in found.items() if values}


def _panel(
    key: str, quantity: Quantity, methods: Mapping[int, MethodResults], shown: set[int]
) -> str:
    """Return the diagram of a quantity, a line each of some methods at their places."""
    longest = max(len(_learning(method)) for method in methods.values())
    ticks = [(float(k), str(k)) for k in range(1, longest + 1, max(1, longest // 6))]
    across = Axis("pass", ticks, lambda number: (number - 1) / max(1, longest - 1))
    values = [value for found in _having(list(methods.values()), key).values() for value in found]
    title = quantity["title"]
    if quantity["logarithmic"]:
        up = logarithmic(title, max(values))
    else:
        up = linear(title, max(0.0, *values), lambda value: f"{value:g}", min(0.0, *values))
    lines = [
        Line(place, _title(method), _points(_learning(method), key))
        for place, method in methods.items()
    ]
    return chart(title, across, up, lines, shown)


def _learning(method: MethodResults) -> list[Pass]:
    return method["repeats"][0]["learning"] if method["repeats"] else []


def _points(entries: Sequence[Pass], key: str) -> list[tuple[float, float | None]]:
    """Return the values pass by pass; a new fit begins a new stroke of the line."""
    points: list[tuple[float, float | None]] = []
    fit = None
    for place, entry in enumerate(entries, start=1):
        if fit is not None and entry["fit"] != fit:
            points.append((float(place), None))
        fit = entry["fit"]
        points.append((float(place), entry["values"].get(key)))
    return points


def _title(method: MethodResults) -> str:
    fits = list(dict.fromkeys(entry["fit"] for entry in _learning(method)))
    if fits == [method["name"]]:
        return method["name"]
    return f"{method['name']}: {', then '.join(fits)}"
