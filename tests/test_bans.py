"""What no file of the project may do, and who may import whom; each ban is seen to find something.

A line of the tables reads: what lies in the first must not import what lies in the second.
"""

import re
import subprocess
from pathlib import Path

import pytest
from support.determinism import undetermined
from support.imports import circles, graph, imported, sources

ROOT = Path(__file__).resolve().parents[1]
TREES = ("stainless", "impurities", "render", "train", "exchange")
MODULES = sources(ROOT, TREES)
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}

BLENDER = ("bpy", "mathutils", "_cycles")
LEARNING = ("torch", "torchvision", "timm", "anomalib", "lightning")

#: Never, neither on import nor later.
NEVER = (
    ("impurities", ("render", "train", "exchange", *BLENDER, *LEARNING)),
    ("render", ("train", "exchange", *LEARNING)),
    ("train", ("render", "impurities", "exchange", *BLENDER)),
    ("exchange", ("render", "impurities", "train", *BLENDER, *LEARNING)),
    ("stainless", BLENDER),
)

#: Only `render.cycles` knows Blender.
TRACER = "render.cycles"

#: From the ground up. A module belongs to the longest name it lies in and imports nothing from a
#: higher floor.
FLOORS = (
    ("stainless",),
    ("impurities",),
    ("render.cycles", "render.sensor", "render.camera", "render.lights"),
    ("train.metrics", "train.verdicts", "train.augment", "train.patch_grid"),
    ("train.anomaly_map", "train.seeding"),
    ("train.backbones",),
    ("train.features", "train.training"),
    ("train.detectors",),
    ("train", "train.report"),
    ("train.commands", "train.experiments", "render", "exchange"),
)

#: Loaded in milliseconds: planning and `--help` need no more.
HEAVY = (*BLENDER, *LEARNING, "openvino", "matplotlib")

#: Programs that measure tell the time.
MEASURING = re.compile(r"stainless\.measure|render\..*benchmark")

MOST_LINES = 400


def within(name, places):
    """Tell whether a dotted name is one of some places or lies in one."""
    return any(name == place or name.startswith(place + ".") for place in places)


def broken(texts, never):
    """Return the imports that a table forbids, as `importer imports imported`."""
    return [
        f"{name} imports {other}"
        for name, text in texts.items()
        for place, banned in never
        if within(name, [place])
        for other in sorted(imported(text, anywhere=True))
        if within(other, banned)
    ]


def floor(name, floors):
    """Return the number of the floor that a module stands on."""
    places = {place: number for number, row in enumerate(floors) for place in row}
    return places[max((place for place in places if within(name, [place])), key=len)]


def climbing(texts, floors):
    """Return the imports, at any time, of what stands on a higher floor."""
    return [
        f"{name} imports {other}"
        for name, text in texts.items()
        for other in sorted(imported(text, anywhere=True) & set(texts))
        if floor(other, floors) > floor(name, floors)
    ]


def test_who_never_imports_whom():
    assert broken(TEXTS, NEVER) == []


def test_only_the_tracer_knows_blender():
    others = {name: text for name, text in TEXTS.items() if not within(name, [TRACER])}
    assert len(others) < len(TEXTS)
    assert broken(others, [(tree, BLENDER) for tree in TREES]) == []
    assert broken(TEXTS, [(TRACER, BLENDER)])


def test_a_ban_on_imports_finds_them_wherever_they_are():
    texts = {
        "a.b": "import numpy\ndef f():\n    from c.d import e",
        "a.bc": "import c.d",
        "a.ok": "import cd",
    }
    assert broken(texts, [("a.b", ("c",))]) == ["a.b imports c.d", "a.b imports c.d.e"]
    assert broken(texts, [("a", ("c",))])[-1] == "a.bc imports c.d"
    assert broken(texts, [("a", ("e",))]) == []


def test_what_all_share_imports_none_of_them_before_it_is_asked():
    others = set(TREES) - {"stainless"}
    for name in (name for name in TEXTS if within(name, ["stainless"])):
        assert [other for other in imported(TEXTS[name]) if within(other, others)] == [], name
    assert imported("def f():\n    import train") == set()
    assert imported("try:\n    import train\nexcept ImportError: ...") == {"train"}


def test_a_lower_floor_imports_no_higher_one():
    texts = {name: text for name, text in TEXTS.items() if not within(name, ["stainless"])}
    assert climbing(texts, FLOORS) == []


def test_a_climb_is_found():
    texts = {"low": "import low.high.one", "low.high.one": "def f(): import low.other"}
    texts["low.other"] = "import low.high"
    assert climbing(texts, (("low",), ("low.high",))) == ["low imports low.high.one"]


def test_no_circle_on_import():
    assert circles(graph(TEXTS)) == []


def test_a_circle_is_found():
    texts = {"a": "import b", "b": "from c import d", "c": "import a", "d": "import a"}
    assert circles(graph(texts)) == [["a", "b", "c"]]
    texts["b"] = "def f():\n    import c"
    assert circles(graph(texts)) == []
    texts["b"] = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import c"
    assert circles(graph(texts)) == []
    # `from a import b` loads the package a before its module b.
    assert circles(graph({"a": "import a.b", "a.b": "from a import c"})) == [["a", "a.b"]]


@pytest.mark.parametrize("name", [n for n in TEXTS if within(n, TREES[:3])])
def test_no_global_randomness_and_no_clock(name):
    if not MEASURING.fullmatch(name):
        assert undetermined(TEXTS[name]) == []


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
def test_what_is_not_determined_is_found(text):
    assert undetermined(text)


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nnp.random.default_rng(3).random()",
        "import numpy as np\nnp.random.Generator(np.random.SFC64(3))",
        "import time\ntime.sleep(1)",
        "class A:\n    def random(self): ...\nA().random()",
    ],
)
def test_what_is_seeded_is_left_alone(text):
    assert undetermined(text) == []


def tracked():
    """Return the files of the project that a reader reads."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.js", "*.css", "*.html", "*.md", "*.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\n")
    return [ROOT / name for name in listed if name] or list(MODULES.values())


def test_no_file_is_longer_than_a_reader_reads():
    paths = [path for path in tracked() if path.exists()]
    assert len(paths) > 100
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in paths}
    assert {str(path): count for path, count in lines.items() if count > MOST_LINES} == {}


#: Files from elsewhere are data: nothing in them may run.
UNSAFE = re.compile(
    r"\bimport pickle|\bpickle\.load|allow_pickle=True"
    r"|\byaml\.(?:unsafe_|full_)?load\((?!text, _Loader)"
    r"|\btorch\.load\((?![^\n]*weights_only=True)"
)


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "yaml.unsafe_load(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
    ],
)
def test_what_would_run_a_file_is_found(text):
    assert UNSAFE.search(text)


def test_no_file_that_is_read_can_run():
    for name, text in TEXTS.items():
        assert UNSAFE.search(text) is None, name
    assert not UNSAFE.search("torch.load(path, map_location=x, weights_only=True)")
    assert not UNSAFE.search("yaml.safe_load(text)")
