"""What renders nothing loads neither Blender nor torch, and what renders loads no torch."""

import shutil
import sys

import pytest
from tiny_scenes import GENERATE, ROOT, TINY, files, run

TREES = ("impurities", "render", "stainless")

#: Fails on an import of what the bare command must do without.
BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("bpy", "torch", "anomalib", "train", "_cycles"):
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Blocker())
"""


#: The plan, and the record of which files are the program's own.
PLANNED = {"out/plan.json", "out/.stainless-render.jsonl"}


@pytest.mark.parametrize(
    ("words", "shown", "written"),
    [
        (["--help"], "--config", set()),
        (["--keys"], "--impurities.water_stain.radius_mm", set()),
        (["--config", str(TINY), "--dry-run"], "3 samples, 18 pictures", PLANNED),
        (["--config", str(ROOT / "scenes/plate.yaml"), "--dry-run"], "480 p", PLANNED),
    ],
)
def test_what_renders_nothing_needs_neither_blender_nor_torch(tmp_path, words, shown, written):
    (tmp_path / "block").mkdir()
    (tmp_path / "block" / "sitecustomize.py").write_text(BLOCK)
    more = ["--output", str(tmp_path / "out")] if written else []
    done = run(
        [sys.executable, str(GENERATE), *words, *more],
        env={"PYTHONPATH": str(tmp_path / "block"), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert shown in done.stdout
    assert (
        files(tmp_path)
        - {"block/sitecustomize.py"}
        - {name for name in files(tmp_path) if "__pycache__" in name}
        == written
    )


def test_rendering_loads_no_torch(tmp_path):
    # The whole of the generator, without the training part of the project beside it.
    for package in TREES:
        shutil.copytree(ROOT / package, tmp_path / package)
    script = (
        "import sys; root = sys.argv.pop(1); sys.path.insert(0, root)\n"
        "from render.generate import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "assert 'bpy' in sys.modules\n"
        "assert not {'torch', 'anomalib', 'train'} & set(sys.modules)\n"
        "import render; assert render.__file__.startswith(root)\n"
        "import os; sys.stdout.flush(); os._exit(0)"
    )
    words = ["--config", str(TINY), "--output", str(tmp_path / "out"), "--samples", "1"]
    done = run(
        [sys.executable, "-c", script, str(tmp_path), *words, "--lights.variants", "[hexagon]"]
    )
    assert done.returncode == 0, done.stderr
    assert "1 sample, 2 pictures" in done.stdout
