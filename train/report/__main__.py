"""Write the report of a finished sim-to-real experiment anew: its page and its CSV tables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stainless.errors import guarded


def main(argv: list[str] | None = None) -> int:
    """Write the report of one command line and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m train.report", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the experiment, with results.json")
    args = parser.parse_args(argv)
    from train.report.write import write_report

    print(write_report(args.folder))
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main, "report"))
