"""What the generator must not use: the global generators of random numbers, the clock, torch."""

import ast
import shutil
import sys

import pytest
from tiny_scenes import GENERATE, ROOT, TINY, files, run

TREES = ("impurities", "render", "stainless")

#: Programs that measure time are no part of what makes a dataset.
MEASURING = {"benchmark", "measure"}

#: All that numpy.random may be used for: generators whose seed is given.
SEEDED = {"Generator", "SeedSequence", "default_rng", "SFC64", "PCG64", "Philox", "BitGenerator"}

#: `time.sleep` waits and tells nothing.
CLOCKS = {
    "time": {"sleep"},
    "datetime": set(),
    "random": set(),
    "secrets": set(),
    "uuid": set(),
}


def sources():
    for tree in TREES:
        for path in sorted((ROOT / tree).rglob("*.py")):
            if not any(part.removesuffix(".py") in MEASURING for part in path.parts):
                yield path


def dotted(node):
    """Return `a.b.c` of an attribute's node, or None."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return None


def banned(text):
    """Return what a module uses that would make two runs differ, as `line: name`."""
    tree = ast.parse(text)
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    found = []
    for node in ast.walk(tree):
        name = dotted(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
        if name is None:
            continue
        head, _, rest = name.partition(".")
        if head not in names:
            continue
        full = f"{names[head]}.{rest}".rstrip(".")
        parts = full.split(".")
        legacy = parts[:2] == ["numpy", "random"] and len(parts) > 2 and parts[2] not in SEEDED
        clock = parts[0] in CLOCKS and len(parts) > 1 and parts[1] not in CLOCKS[parts[0]]
        urandom = full == "os.urandom"
        if legacy or clock or urandom:
            found.append(f"{node.lineno}: {full}")
    for node in ast.walk(tree):
        # A generator without a seed takes one from the system.
        if isinstance(node, ast.Call) and not node.args and not node.keywords:
            name = dotted(node.func) or ""
            if name.split(".")[-1] in SEEDED:
                found.append(f"{node.lineno}: {name}()")
    return found


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_global_randomness_and_no_clock(path):
    assert banned(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "import random\nrandom.random()",
        "from random import choice\nchoice([1])",
        "import numpy as np\nnp.random.rand(3)",
        "import numpy as np\nnp.random.seed(3)",
        "import numpy\nnumpy.random.normal()",
        "from numpy import random\nrandom.normal()",
        "from numpy.random import normal\nnormal()",
        "import numpy as np\nnp.random.default_rng()",
        "from numpy.random import default_rng\ndefault_rng()",
        "import time\ntime.time()",
        "import time as t\nt.perf_counter()",
        "from time import monotonic\nmonotonic()",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.now()",
        "import os\nos.urandom(4)",
        "import uuid\nuuid.uuid4()",
    ],
)
def test_the_ban_finds_what_it_bans(text):
    assert banned(text)


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nnp.random.default_rng(3).random()",
        "import numpy as np\nnp.random.Generator(np.random.SFC64(3))",
        "import time\ntime.sleep(1)",
        "class A:\n    def random(self): ...\nA().random()",
    ],
)
def test_the_ban_leaves_alone_what_is_seeded(text):
    assert banned(text) == []


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def test_who_may_import_what():
    for path in sources():
        names, place = set(imported(path)), path.relative_to(ROOT)
        assert not names & {"torch", "torchvision", "anomalib", "timm", "train"}, place
        if place.parts[:2] != ("render", "cycles"):
            assert not names & {"bpy", "mathutils", "_cycles"}, place
        if place.parts[0] == "impurities":
            assert "render" not in names, place
        if place.parts[0] == "stainless":
            assert not names & {"render", "impurities"}, place


#: Fails on an import of what the bare command must do without.
BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("bpy", "torch", "anomalib", "train", "_cycles"):
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Blocker())
"""


@pytest.mark.parametrize(
    ("words", "said", "written"),
    [
        (["--help"], "--config", set()),
        (["--keys"], "--impurities.water_stain.radius_mm", set()),
        (["--config", str(TINY), "--dry-run"], "3 samples, 18 pictures", {"out/plan.json"}),
        (["--config", str(ROOT / "scenes/plate.yaml"), "--dry-run"], "480 p", {"out/plan.json"}),
    ],
)
def test_what_renders_nothing_needs_neither_blender_nor_torch(tmp_path, words, said, written):
    (tmp_path / "block").mkdir()
    (tmp_path / "block" / "sitecustomize.py").write_text(BLOCK)
    more = ["--output", str(tmp_path / "out")] if written else []
    done = run(
        [sys.executable, str(GENERATE), *words, *more],
        env={"PYTHONPATH": str(tmp_path / "block"), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert said in done.stdout
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
