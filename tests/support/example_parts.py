"""The kinds of parts below `tests/examples`, beside those of the project."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import render.parts

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "tests" / "examples" / "parts"

#: The generator with the examples in their place.
SCRIPT = f"""
import os, sys
import render.parts
render.parts.__path__.append({str(PLACE)!r})
from render.generate import main
code = main(sys.argv[1:])
sys.stdout.flush()
os._exit(code)
"""


@contextmanager
def in_place() -> Iterator[None]:
    """Let the examples be found."""
    from render.part import part

    with patch.object(render.parts, "__path__", [*render.parts.__path__, str(PLACE)]):
        yield
    part.cache_clear()


def generate(*words: str | os.PathLike[str]) -> subprocess.CompletedProcess[str]:
    """Run the generator, with the examples, in a process of its own."""
    command = [sys.executable, "-c", SCRIPT, *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=environment
    )
