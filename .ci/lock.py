"""Write down the version of every package, for pip and for uv: `make lock`.

requirements.lock holds them for pip (`pip install --constraint requirements.lock --editable ...`),
and so does the end of pyproject.toml for `uv sync`, since uv reads constraints nowhere else. A
version that is there already stays as long as pyproject.toml allows it; `make lock UPGRADE=1` takes
the newest of all. Needs uv, which it is run beside.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK, PROJECT = ROOT / "requirements.lock", ROOT / "pyproject.toml"

#: The oldest Python that is locked for.
PYTHON = "3.11"

#: What begins the end of pyproject.toml.
BEGIN = "\n# Of requirements.lock, by `make lock`; nothing below is written by hand.\n[tool.uv]\n"


def compiled(project: str, options: list[str]) -> list[str]:
    """Return a line for each package that the extras of a pyproject.toml need, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "pyproject.toml"
        source.write_text(project, encoding="utf-8")
        command = ["uv", "pip", "compile", "--universal", "--all-extras"]
        command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--python-version", PYTHON, *options, "--output-file", str(LOCK), str(source)]
        # In another folder, since uv would hold to the constraints of the pyproject.toml around it.
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=folder, stdout=subprocess.DEVNULL, check=False
        )
    if done.returncode:
        raise SystemExit(done.returncode)
    return LOCK.read_text(encoding="utf-8").splitlines()


def main() -> None:
    """Write both."""
    project = PROJECT.read_text(encoding="utf-8").partition(BEGIN)[0]
    lines = compiled(project, sys.argv[1:])
    listed = "".join(f'    "{line}",\n' for line in lines)
    PROJECT.write_text(f"{project}{BEGIN}constraint-dependencies = [\n{listed}]\n", "utf-8")
    print(f"{LOCK.name}, {PROJECT.name}: {len(lines)} versions")


if __name__ == "__main__":
    main()
