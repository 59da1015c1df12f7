"""Make the project's packages importable in a Blender that brings a Python of its own.

Imports nothing but the standard library.
"""

from __future__ import annotations

import importlib
import importlib.util
import site
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

NEEDED = ("numpy", "cv2", "yaml", "tqdm", "noise")


def provide() -> str | None:
    """Put the project and, where needed, its virtual environment on the module path.

    Returns:
        None, or the one line that says what is missing and what mends it.
    """
    sys.path.insert(0, str(ROOT))
    if not _missing():
        return None
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = ROOT / ".venv" / "lib" / here / "site-packages"
    if packages.is_dir():
        before = list(sys.path)
        site.addsitedir(str(packages))
        # The project's packages fit together; the system's own numpy, say, would not.
        sys.path[:] = [p for p in sys.path if p not in before] + before
        importlib.invalidate_caches()
        if not _missing():
            return None
    missing = ", ".join(_missing())
    if here == "python3.11":
        return f"this Python lacks {missing}: run `make .venv/demo` in the project's folder"
    return (
        f"this Blender's {here} lacks {missing}: run `{sys.executable} -m pip install "
        "'numpy<2' opencv-python-headless pyyaml tqdm noise`"
    )


def _missing() -> list[str]:
    """Return which of the needed packages cannot be imported."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]
