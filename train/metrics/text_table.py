"""Numbers in columns, as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def grid(head: Sequence[str], rows: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return a table with the names of its rows on the left; "-" stands for undefined."""
    cells = {name: [cell(value, ".3f") for value in row] for name, row in rows.items()}
    first = max(len(name) for name in rows)
    widths = [
        max(len(title), *(len(row[column]) for row in cells.values()))
        for column, title in enumerate(head)
    ]
    table = {"": list(head), **cells}
    return [
        "  ".join([name.ljust(first), *(c.rjust(w) for c, w in zip(row, widths, strict=True))])
        for name, row in table.items()
    ]


def cell(value: Any, form: str) -> str:
    """Return a value as text, a number in a form; "-" stands for undefined."""
    if value is None:
        return "-"
    return format(value, form) if isinstance(value, float) else str(value)
