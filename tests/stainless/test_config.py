"""Typed configuration: what is read, what is refused, and whom an error blames."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from stainless.config import described, keys, notation, origin, read
from stainless.errors import InputError


@dataclass
class Point:
    x: float
    y: float = 0.0


@dataclass
class Layer:
    width_mm: float = 1.0
    count: int = 2


@dataclass
class Stain:
    """A stain.

    Attributes:
        radius_mm: of the outline, which is
            round.
        centers, inner: where it is;
            None draws it.

    What follows is about the whole.
    """

    radius_mm: float | tuple[float, float] = 2.0
    centers: list[tuple[float, float]] | None = None
    inner: Layer = field(default_factory=Layer)


@dataclass
class Tree:
    name: str = "plate"
    seed: int = 1
    size: tuple[float, float, float] = (1.0, 2.0, 3.0)
    dull: bool = False
    finish: Literal["brushed", "polished"] = "brushed"
    layers: list[Layer] = field(default_factory=list)
    stain: Stain | None = None
    path: list[Point] = field(default_factory=list)


@pytest.fixture
def write(tmp_path):
    def write(text, name="scene.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refused(path, *overrides):
    with pytest.raises(InputError) as caught:
        read(Tree, path, overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_empty_file_is_all_defaults(write):
    assert read(Tree, write("")) == Tree()
    assert read(Tree, write("# nothing\n")) == Tree()


def test_every_type_is_read(write):
    path = write(
        "name: strip\nseed: 7\nsize: [4, 5.5, 1e-3]\ndull: true\nfinish: polished\n"
        "layers: [{width_mm: 0.5}, {count: 3}]\npath: [{x: 1}]\n"
        "stain: {radius_mm: [1, 2], centers: [[0, 1], [2, 3]], inner: {count: 9}}\n"
    )
    assert read(Tree, path) == Tree(
        name="strip",
        seed=7,
        size=(4.0, 5.5, 0.001),
        dull=True,
        finish="polished",
        layers=[Layer(0.5, 2), Layer(1.0, 3)],
        stain=Stain((1.0, 2.0), [(0.0, 1.0), (2.0, 3.0)], Layer(1.0, 9)),
        path=[Point(1.0)],
    )


def test_a_whole_number_serves_as_a_number_and_becomes_one(write):
    tree = read(Tree, write("stain: {radius_mm: 3}"))
    assert type(tree.stain.radius_mm) is float
    assert all(type(edge) is float for edge in read(Tree, write("size: [1, 2, 3]")).size)


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", ".001", "0.001"])
def test_every_notation_of_a_number_is_one(write, text):
    assert read(Tree, write(f"stain: {{radius_mm: {text}}}")).stain.radius_mm == 0.001


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1.5", "seed: 1.5, expected a whole number"),
        ("seed: true", "seed: True, expected a whole number"),
        ("seed: '3'", "seed: '3', expected a whole number"),
        ("name: 3", "name: 3, expected a text"),
        ("dull: 1", "dull: 1, expected true or false"),
        ("finish: matt", "finish: 'matt', expected one of brushed, polished"),
        ("finish: [1]", "finish: [1], expected one of brushed, polished"),
        ("size: [1, 2]", "size: [1, 2], expected [number, number, number]"),
        ("size: 4", "size: 4, expected [number, number, number]"),
        ("size: [1, x, 3]", "size[1]: 'x', expected a number"),
        ("size: [1, true, 3]", "size[1]: True, expected a number"),
        ("layers: {width_mm: 1}", "layers: {'width_mm': 1}, expected a list"),
        ("layers: [4]", "layers[0]: 4, expected keys with values"),
        ("layers: [{count: 1}, {count: x}]", "layers[1].count: 'x', expected a whole number"),
        ("stain: 4", "stain: 4, expected keys with values or null"),
        ("stain: {inner: 4}", "stain.inner: 4, expected keys with values"),
        ("stain: {inner: null}", "stain.inner: None, expected keys with values"),
        ("stain: {radius_mm: [1]}", "stain.radius_mm: [1], expected a number or [low, high]"),
        ("stain: {radius_mm: [1, 2, 3]}", "expected a number or [low, high]"),
        ("stain: {radius_mm: null}", "stain.radius_mm: None, expected a number or [low, high]"),
        (f"stain: {{radius_mm: 1{'0' * 400}}}", "expected a number or [low, high]"),
        ("size: [2020-13-45, 1, 2]", "month must be in 1..12"),
        ("sed: 1", "sed: unknown key, did you mean seed?"),
        ("stain: {raduis_mm: 1}", "stain.raduis_mm: unknown key, did you mean radius_mm?"),
        ("layers: [{widht_mm: 1}]", "layers[0].widht_mm: unknown key, did you mean width_mm?"),
        ("stain: {inner: {zzz: 1}}", "zzz: unknown key, expected one of width_mm, count"),
        ("3: 4", "3: unknown key"),
        ("path: [{x: 1}, {y: 1}]", "path[1].x: missing"),
        ("[1, 2]", "expected keys with values, got [1, 2]"),
        ("just words", "expected keys with values"),
        ("seed: 1\nname: [1, 2", "line 2: "),
        ("seed: {", "line 1: "),
        ("seed: 1\nname: x\nseed: 2", "line 3: seed: is given twice, expected once"),
        ("stain: {inner: {count: 1}, inner: {}}", "line 1: inner: is given twice"),
        ("layers:\n  - count: 1\n    count: 1\n", "line 3: count: is given twice"),
        ("? [1]\n: 2\n? [1]\n: 2", "line 1: "),
        ("seed: 1\n\tname: x", "line 2: "),
        ("seed: \0", "unacceptable character"),
        ("extends: 4", "extends: 4, expected the name of a YAML file"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_file_and_key(write, text, message):
    path = write(text)
    line = refused(path)
    assert line.startswith(f"{path}: ")
    assert message in line


def test_a_merge_key_may_be_overridden(write):
    path = write("stain: {inner: &a {count: 3, width_mm: 2}}\nlayers: [{<<: *a, count: 4}]")
    assert read(Tree, path).layers == [Layer(2.0, 4)]


def test_a_long_value_is_shortened(write):
    assert len(refused(write(f"seed: {'x' * 5000}"))) < 250


def test_a_file_that_is_not_text_or_not_there(write, tmp_path):
    assert refused(tmp_path / "none.yaml") == f"{tmp_path / 'none.yaml'}: no such file"
    assert "cannot be read as text" in refused(tmp_path)
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00\x80")
    assert "cannot be read as text" in refused(path)


def test_overrides_win_in_their_order(write):
    path = write("seed: 3\nstain: {radius_mm: 5}")
    tree = read(Tree, path, [("seed", "4"), ("stain.inner.count", "8"), ("seed", "5")])
    assert (tree.seed, tree.stain.radius_mm, tree.stain.inner.count) == (5, 5.0, 8)


def test_an_optional_tree_can_be_switched_off_and_on(write):
    path = write("stain: {radius_mm: 5}")
    assert read(Tree, path, [("stain", "null")]).stain is None
    on = read(Tree, path, [("stain", "null"), ("stain.inner.count", "4")]).stain
    assert on == Stain(inner=Layer(count=4))
    assert read(Tree, write("stain: {}")).stain == Stain()


def test_a_list_is_replaced_as_a_whole(write):
    path = write("layers: [{count: 1}, {count: 2}]")
    assert read(Tree, path, [("layers", "[{count: 5}]")]).layers == [Layer(count=5)]


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("sed", "1", "--sed: unknown key, did you mean seed?"),
        ("stain.inner.cuont", "1", "--stain.inner.cuont: unknown key"),
        ("stain", "{inner: {cuont: 1}}", "--stain.inner.cuont: unknown key"),
        ("seed", "x", "--seed: 'x', expected a whole number"),
        ("layers", "[{count: x}]", "--layers[0].count: 'x', expected a whole number"),
        ("seed.deep", "1", "--seed.deep: seed: {'deep': 1}, expected a whole number"),
        ("", "1", "--: unknown key"),
        ("stain", "{inner: {count: 1, count: 2}}", "--stain: count: is given twice"),
        ("seed", "[1", "--seed: '[1', expected a value in YAML notation"),
        ("seed", "2020-13-45", "--seed: '2020-13-45', expected a value in YAML notation"),
    ],
)
def test_a_bad_override_is_blamed_itself(write, key, text, message):
    assert refused(write("seed: 1"), (key, text)).startswith(message)


def test_a_file_extends_another_beside_it(write, tmp_path):
    (tmp_path / "deep").mkdir()
    write("seed: 3\nname: base\nstain: {radius_mm: 5, inner: {count: 7}}\nlayers: [{count: 1}]")
    middle = write("extends: ../scene.yaml\nstain: {inner: {width_mm: 4}}", "deep/middle.yaml")
    top = write("extends: middle.yaml\nname: top\nlayers: []", "deep/top.yaml")
    assert read(Tree, middle).stain == Stain(5.0, None, Layer(4.0, 7))
    tree = read(Tree, top)
    assert (tree.seed, tree.name, tree.layers) == (3, "top", [])
    assert tree.stain == Stain(5.0, None, Layer(4.0, 7))


@dataclass
class Film:
    gloss: float = field(default=0.5, metadata={"formerly": "sheen"})


@dataclass
class Label:
    film: Film = field(default_factory=Film)


def test_a_renamed_key_is_read_under_its_former_name(write):
    write("film: {sheen: 0.1}", "old.yaml")
    assert read(Label, write("extends: old.yaml")).film.gloss == 0.1
    # Files of either age extend those of the other.
    assert read(Label, write("extends: old.yaml\nfilm: {gloss: 0.2}")).film.gloss == 0.2
    assert read(Label, write("film: {gloss: 0.2}"), [("film.sheen", "0.3")]).film.gloss == 0.3
    with pytest.raises(InputError, match=r"film.sheen: unknown key, expected one of gloss"):
        read(Label, write("film: {sheen: 0.1, gloss: 0.2}"))


def test_an_error_blames_the_file_it_stands_in(write, tmp_path):
    base = write("seed: x", "base.yaml")
    top = write("extends: base.yaml\nseed: 4", "top.yaml")
    assert refused(top).startswith(f"{base}: seed: 'x'")
    lost = write("extends: gone.yaml", "lost.yaml")
    assert refused(lost) == f"{tmp_path / 'gone.yaml'}: no such file"


@pytest.mark.parametrize(
    "files", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}]
)
def test_files_that_extend_one_another_in_a_circle(write, files):
    paths = {n: write(f"extends: {base}.yaml", f"{n}.yaml") for n, base in files.items()}
    assert "extends: the files extend one another in a circle" in refused(paths["a"])


def test_origin_is_what_a_value_came_from(write):
    base = write("seed: 3\nstain: {radius_mm: 5}\nlayers: [{count: 1}]", "base.yaml")
    top = write("extends: base.yaml\nname: top\nstain: {inner: {count: 1}}", "top.yaml")
    overrides = [("stain.inner.count", "3"), ("layers", "[]"), ("stain", "{centers: null}")]
    assert origin(Tree, top, overrides, "seed") == str(base)
    assert origin(Tree, top, overrides, "name") == str(top)
    assert origin(Tree, top, overrides, "stain.radius_mm") == str(base)
    assert origin(Tree, top, overrides, "stain.radius_mm + amplitude_mm") == str(base)
    assert origin(Tree, top, overrides, "stain.inner.count") == "--stain.inner.count"
    assert origin(Tree, top, [], "stain.inner.count") == str(top)
    assert origin(Tree, top, overrides, "stain.centers") == "--stain"
    assert origin(Tree, top, overrides, "layers[0].count") == "--layers"
    assert origin(Tree, top, [], "layers[0].count") == str(base)
    assert origin(Tree, top, [], "size") == str(top), (
        "a default is nobody's: the file that was named"
    )


def test_a_former_name_is_the_origin_of_the_present_key(write):
    old = write("film: {sheen: 0.1}", "old.yaml")
    top = write("extends: old.yaml", "top.yaml")
    assert origin(Label, top, [], "film.gloss") == str(old)
    assert origin(Label, top, [("film.sheen", "2")], "film.gloss") == "--film.sheen"


def test_keys_lists_every_leaf_with_its_default():
    listed = {key.name: (described(key.kind), key.default) for key in keys(Tree)}
    assert listed == {
        "name": ("a text", "plate"),
        "seed": ("a whole number", 1),
        "size": ("[number, number, number]", (1.0, 2.0, 3.0)),
        "dull": ("true or false", False),
        "finish": ("one of brushed, polished", "brushed"),
        "layers": ("a list, each item keys with values", []),
        "path": ("a list, each item keys with values", []),
        "stain.radius_mm": ("a number or [low, high]", 2.0),
        "stain.centers": ("null or a list, each item [number, number]", None),
        "stain.inner.width_mm": ("a number", 1.0),
        "stain.inner.count": ("a whole number", 2),
    }


def test_keys_have_the_meaning_that_the_docstring_gives_them():
    meanings = {key.name: key.meaning for key in keys(Tree)}
    assert meanings["stain.radius_mm"] == "of the outline, which is round"
    assert meanings["stain.centers"] == "where it is; null draws it"
    assert meanings["seed"] == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((0.28, 0.31), "[0.28, 0.31]"),
        (None, "null"),
        (True, "true"),
        ("ratio", "ratio"),
        ("", "''"),
        ([Layer(0.5, 3)], "[{width_mm: 0.5, count: 3}]"),
        ([(1.0, 2.0)] * 50, "[" + ", ".join(["[1.0, 2.0]"] * 50) + "]"),
    ],
)
def test_notation_is_what_can_be_read_again(value, text):
    assert notation(value) == text


@dataclass
class Common:
    """What both have.

    Attributes:
        kind: which it is.
        size: of it.
    """

    kind: str = "round"
    size: float = 1.0


@dataclass
class Round(Common):
    """A round one.

    Attributes:
        radius: of it.
    """

    radius: float = 2.0


@dataclass
class Square(Common):
    """A square one.

    Attributes:
        edge: of it.
    """

    edge: float = 3.0


def either(tree):
    kinds = {"round": Round, "square": Square}
    if tree.get("kind", "round") not in kinds:
        raise ValueError(f"kind: {tree['kind']}, expected round or square")
    return kinds[tree.get("kind", "round")]


def test_a_key_may_decide_which_others_there_are(tmp_path):
    base, top = tmp_path / "base.yaml", tmp_path / "top.yaml"
    base.write_text("size: 5\nradius: 6")
    top.write_text("extends: base.yaml\nkind: square\nedge: 7")
    assert read(either, base) == Round("round", 5.0, 6.0)
    assert read(either, top) == Square("square", 5.0, 7.0)
    assert read(either, base, [("edge", "8"), ("kind", "square")]) == Square("square", 5, 8)
    assert read(either, top, [("kind", "round")]) == Round("round", 5.0, 2.0)
    assert [key.meaning for key in keys(Square)] == ["which it is", "of it", "of it"]


def test_what_the_key_does_not_allow_is_named_where_it_stands(tmp_path):
    base, top = tmp_path / "base.yaml", tmp_path / "top.yaml"
    base.write_text("kind: square")
    top.write_text("extends: base.yaml\nradius: 7")
    for path, overrides, says in (
        (top, [], f"{top}: radius: unknown key"),
        (base, [("radius", "3")], "--radius: unknown key"),
        (base, [("kind", "oval")], "--kind: oval, expected round or square"),
    ):
        with pytest.raises(InputError) as caught:
            read(either, path, overrides)
        assert str(caught.value).startswith(says)
