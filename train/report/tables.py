"""The tables of classes and of methods as HTML; each number opens the pictures behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from train.metrics import CLASS_FIGURES, FIGURES
from train.report.markup import escape, number, spoken
from train.report.results import MethodResults, Results, Spread, class_names, families


@dataclass(frozen=True)
class Column:
    """One column of numbers.

    Attributes:
        key: metric, of a class "pixel_recall:scratch".
        title: above the column.
        label: what a number in it is, spoken in full.
        more_is_better: False for what should be low.
        values: mean and spread of each method, in the order of results["methods"].
    """

    key: str
    title: str
    label: str
    more_is_better: bool
    values: Sequence[tuple[float | None, float | None]]

    @property
    def best(self) -> float | None:
        """The best mean, as shown; methods that look equal are equally good."""
        shown = [round(value, 3) for value, _ in self.values if value is not None]
        return (max(shown) if self.more_is_better else min(shown)) if shown else None


def pair(figure: Spread | None) -> tuple[float | None, float | None]:
    """Return mean and spread of a figure that may be missing."""
    return (None, None) if figure is None else (figure["mean"], figure["spread"])


def class_table(results: Results) -> str:
    """Return the figures of each class."""
    columns, above = [], ['<th rowspan="2" class="method" scope="col">Method</th>']
    for name in class_names(results):
        kind = results["classes"][name]
        counts = [method["classes"][name]["instances"] for method in results["methods"]]
        note = "low is good" if kind == "impurity" else "defect"
        above.append(
            f'<th colspan="{len(CLASS_FIGURES)}" scope="colgroup" class="first {escape(kind)}">'
            f"{escape(spoken(name))} <small>{max(counts)} · {note}</small></th>"
        )
        for key, figure in CLASS_FIGURES.items():
            figures = [method["classes"][name]["figures"] for method in results["methods"]]
            columns.append(
                Column(
                    f"{key}:{name}",
                    figure.title,
                    f"{figure.label} of {spoken(name)}",
                    kind != "impurity",
                    [pair(of_method.get(key)) for of_method in figures],
                )
            )
    return _table("classes", results, columns, f"<tr>{''.join(above)}</tr>")


def method_table(results: Results) -> str:
    """Return the figures of whole methods; those of some datasets only where they are known."""
    columns = [
        Column(
            key,
            figure.title,
            figure.title,
            figure.more_is_better,
            [pair(method["summary"].get(key)) for method in results["methods"]],
        )
        for key, figure in FIGURES.items()
        if figure.column is not None
        or any(pair(method["summary"].get(key))[0] is not None for method in results["methods"])
    ]
    return _table("methods", results, columns, "")


def _table(name: str, results: Results, columns: Sequence[Column], above: str) -> str:
    head = "" if above else '<th class="method" scope="col">Method</th>'
    head += "".join(
        _head(column, above != "" and at % len(CLASS_FIGURES) == 0)
        for at, column in enumerate(columns)
    )
    places = {method["slug"]: at for at, method in enumerate(results["methods"])}
    bodies = []
    for family, members in families(results).items():
        rows = "".join(
            _row(method, places[method["slug"]], columns, grouped=bool(above)) for method in members
        )
        bodies.append(
            f'<tbody data-family="{escape(family)}"><tr class="family">'
            f'<th colspan="{len(columns) + 1}" scope="rowgroup">'
            f"<span>{escape(results['families'][family])}</span></th></tr>{rows}</tbody>"
        )
    return (
        f'<div class="scroll"><table class="numbers" id="{name}" '
        f'style="--columns: {len(columns)}">'
        f"<thead>{above}<tr>{head}</tr></thead>{''.join(bodies)}</table></div>"
    )


def _head(column: Column, first: bool) -> str:
    title = escape(column.title).replace("mR_DW", "mR<sub>DW</sub>")
    arrow = "" if column.more_is_better else '<span class="low" title="low is good">↓</span>'
    return (
        f'<th scope="col" aria-sort="none"{" class=first" if first else ""}>'
        f'<button type="button" class="sort" data-more="{int(column.more_is_better)}" '
        f'title="Sort by {escape(column.label)}">{title}{arrow}</button></th>'
    )


def _row(method: MethodResults, place: int, columns: Sequence[Column], grouped: bool) -> str:
    note = f"<small>{escape(method['note'])}</small>" if method["note"] else ""
    cells = [
        f'<th scope="row" class="method" data-family="{method["family"]}">'
        f"{escape(method['name'])}{note}</th>"
    ]
    for at, column in enumerate(columns):
        value, spread = column.values[place]
        side = " first" if grouped and at % len(CLASS_FIGURES) == 0 else ""
        if value is None:
            cells.append(f'<td class="none{side}" data-value="">–</td>')
            continue
        best = " best" if round(value, 3) == column.best else ""
        around = f"<small>±{number(spread)}</small>" if spread is not None else ""
        label = f"{column.label}, {method['name']}: {number(value)}; show the pictures"
        cells.append(
            f'<td class="number{best}{side}" data-value="{value!r}">'
            f'<button type="button" class="open" data-method="{escape(method["slug"])}" '
            f'data-metric="{escape(column.key)}" data-label="{escape(column.label)}" '
            f'aria-label="{escape(label)}">{number(value)}{around}</button></td>'
        )
    return f"<tr>{''.join(cells)}</tr>"
