"""What no file of the project may do, and who may import whom; each ban is seen to find something.

A line of the tables reads: what lies in the first must not import what lies in the second.
"""

import ast
import re

import pytest
from support.determinism import undetermined
from support.imports import circles, graph, imported, sources
from support.tracked import ROOT, project_files

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
    ("train.experiments", ("train.commands",)),
)

#: Only `render.cycles` knows Blender.
TRACER = "render.cycles"

#: From the ground up. A module belongs to the longest name it lies in and imports nothing from a
#: higher floor.
FLOORS = (
    ("stainless",),
    ("impurities",),
    ("render.cycles", "render.sensor", "render.camera", "render.lights"),
    (
        "train.map_files",
        "train.patch_grid",
        "train.patch_classes",
        "train.augment",
        "train.seeding",
        "train.feature_settings",
    ),
    ("train.metrics", "train.verdicts", "train.anomaly_map", "train.calibration"),
    ("train.backbones",),
    ("train.features", "train.training"),
    ("train.detectors",),
    ("train", "train.report"),
    ("train.experiments", "render", "exchange"),
    ("train.commands",),
)

#: What plans, `--help` and `--keys` load on import, and what they must not: it takes seconds.
LIGHT = re.compile(
    r"stainless\..*|impurities\..*|exchange\..*|render\.(generate|plan|scene|part)|render\.parts\..*\.part"
    r"|train\.commands\..*|train\.detectors\.[^.]*\.settings|train\.experiments\.(.*\.)?settings"
)
HEAVY = (*BLENDER, *LEARNING, "openvino", "matplotlib", "scipy", "pandas")

#: Where plug-ins lie: all others find one by its place, and none by its name.
PLACES = {
    "impurities": "kind",
    "render.parts": "part",
    "train.detectors": "settings",
    "train.experiments": "settings",
}
FILES = ("render.parts.plate.flaws", "train.metrics.measures", "train.verdicts.rules")

#: Except that an experiment is about methods.
ABOUT_METHODS = re.compile(r"train\.experiments\.\w+\..*")

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


def loaded(texts, start):
    """Return all that importing a module imports, packages on the way included."""
    found, left = set(), [start]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [name.rpartition(".")[0]] if "." in name else []
            left += imported(texts.get(name, ""))
    return found


@pytest.mark.parametrize("name", [name for name in TEXTS if LIGHT.fullmatch(name)])
def test_what_plans_and_lists_loads_nothing_heavy(name):
    assert [other for other in sorted(loaded(TEXTS, name)) if within(other, HEAVY)] == []


def test_what_is_loaded_on_the_way_counts():
    texts = {"a.b": "from c import d", "c": "def f(): import torch", "a": "import bpy"}
    assert loaded(texts, "a.b") == {"a", "a.b", "c", "c.d", "bpy"}
    texts["c.d"] = "import torch.nn"
    assert {"torch", "torch.nn"} <= loaded(texts, "a.b")


def plugged():
    """Return the plug-ins by their dotted names."""
    lying = {
        name.rpartition(".")[0]
        for place, marker in PLACES.items()
        for name in TEXTS
        if re.fullmatch(rf"{place}\.\w+\.{marker}", name)
    }
    return lying | {name for name in TEXTS if name.rpartition(".")[0] in FILES}


def named(texts, plugins):
    """Return who imports a plug-in without being a piece of it."""
    return [
        f"{name} imports {other}"
        for name, text in texts.items()
        for other in sorted(imported(text, anywhere=True) & set(texts))
        for plugin in plugins
        if within(other, [plugin]) and not within(name, [plugin])
    ]


def test_no_plug_in_is_known_by_its_name():
    texts = {name: text for name, text in TEXTS.items() if not ABOUT_METHODS.fullmatch(name)}
    assert named(texts, plugged()) == []


def test_a_plug_in_that_is_named_is_found():
    assert {"impurities.sticker", "render.parts.plate", "train.metrics.measures.pixels"} < plugged()
    texts = {"a.one.kind": "import a.one.more", "a.one.more": "", "b": "from a.one import more"}
    assert named(texts, {"a.one"}) == ["b imports a.one.more"]


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


#: What speaks for a program beside the programs themselves, which have a `main` or a `run`.
SPEAKING = (
    "stainless.errors",
    "stainless.command_line",
    "train.commands",
    "train.detectors.detector",
)


def printing(text):
    """Return the lines on which a module prints, unless it is a program."""
    tree = ast.parse(text)
    if {"main", "run"} & {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if getattr(call.func, "id", "") == "print"]


def test_only_programs_print():
    silent = [name for name in TEXTS if not within(name, SPEAKING)]
    assert {name: lines for name in silent if (lines := printing(TEXTS[name]))} == {}
    assert printing("def f():\n    print(1)") == [2]
    assert printing("def main():\n    print(1)") == []


def test_no_file_is_longer_than_a_reader_reads():
    paths = project_files(".py", ".js", ".css", ".html", ".md", ".yaml")
    assert len(paths) > 100
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in paths}
    assert {str(path): count for path, count in lines.items() if count > MOST_LINES} == {}


def test_no_two_modules_of_tests_share_a_name():
    # Such are imported by their bare name, and the second is refused.
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


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
