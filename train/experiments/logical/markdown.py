"""The tables of a finished survey as Markdown, for documents.

python -m train.experiments.logical.markdown reports/logical
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stainless.errors import guarded
from train.experiments.logical.tables import Table, cells, tables
from train.report.markup import number
from train.report.results import Results, read_results


def markdown(results: Results) -> str:
    """Return all tables and findings."""
    return "\n\n".join([*(_table(table) for table in tables(results)), _findings(results)])


def _table(table: Table) -> str:
    lines = [f"### {table.title}", "", table.text, "", _line(table.head)]
    lines.append("|---|" + "--:|" * (len(table.head) - 1))
    for row in cells(table):
        texts = [f"**{text}**" if best else text for text, best in row]
        lines.append(_line([*texts, *[""] * (len(table.head) - len(row))]))
    return "\n".join(lines)


def _line(texts: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


def _findings(results: Results) -> str:
    lines = ["### What came out"]
    for finding in results["findings"]:
        lines += ["", f"**{finding['claim']}**: {finding['verdict']}. {finding['reason']}".strip()]
        lines += ["", "| what | from | to | difference | interval | verdict |"]
        lines.append("|---|---|---|--:|---|---|")
        for each in finding["comparisons"]:
            ends = [f"{each['first']} {number(each['first_value'])}"]
            ends.append(f"{each['second']} {number(each['second_value'])}")
            interval = f"{number(each['low'])} to {number(each['high'])}"
            lines.append(
                _line([each["what"], *ends, number(each["difference"]), interval, each["verdict"]])
            )
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """Print the tables; returns the exit code."""
    parser = argparse.ArgumentParser(prog="train.experiments.logical.markdown", description=__doc__)
    parser.add_argument("folder", type=Path, help="of a finished experiment")
    args = parser.parse_args(words)

    def run() -> int:
        print(markdown(read_results(args.folder)))
        return 0

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
